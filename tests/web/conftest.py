"""One API with a worker and a simulator for all; a frontend and people for each test."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Error, Page, sync_playwright

from aigen.entrypoints.web.app import create_app
from aigen.entrypoints.web.server import WebServer
from aigen.entrypoints.web.settings import WebSettings
from tests.e2e.processes import ADMIN, Person, Process, api, simulator
from tests.web.browsing import ANN, Browser

KEYS = (b"k" * 32,)

NewApp = Callable[..., Flask]


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture(scope="session")
def house(provider: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The API that all tests share; ann has an account there, and root."""
    process = api(tmp_path_factory.mktemp("house"), provider.url, AIGEN_LOGIN_FAILURES="50")
    process.start()
    root = Person.log_in(process.url, ADMIN["email"], ADMIN["password"])
    root.post("/users", ANN, 201)
    root.close()
    yield process
    assert process.stop() == 0


@pytest.fixture
def root(house: Process) -> Iterator[Person]:
    """The administrator, at the API."""
    person = Person.log_in(house.url, ADMIN["email"], ADMIN["password"])
    yield person
    person.close()


@pytest.fixture
def ann_at_api(house: Process) -> Iterator[Person]:
    person = Person.log_in(house.url, ANN["email"], ANN["password"])
    yield person
    person.close()


def web_token(house: Process) -> str:
    data = Path(house.env["AIGEN_DATA_DIR"])
    return (data / "web-token").read_text(encoding="utf-8").strip()


@pytest.fixture
def new_app(house: Process) -> Iterator[NewApp]:
    """Makes frontends of that API, or of another; arguments are settings."""
    made: list[Flask] = []

    def make(of: Process = house, **changes: object) -> Flask:
        usual = {"api_url": of.url, "keys": KEYS, "web_token": web_token(of)}
        made.append(create_app(WebSettings(**usual | changes)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for app in made:
        app.extensions["aigen"].api.close()


@pytest.fixture
def app(new_app: NewApp) -> Flask:
    return new_app()


@pytest.fixture
def guest(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def ann(app: Flask) -> Browser:
    browser = Browser(app)
    browser.log_in()
    return browser


@pytest.fixture
def admin(app: Flask) -> Browser:
    browser = Browser(app)
    browser.log_in(ADMIN["email"], ADMIN["password"])
    return browser


# --- with a real browser --------------------------------------------------------------------


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The address of the frontend, served as `aigen web` does."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = WebServer(app, listening, max_body=2**20)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.drain(5)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The system's Chromium, or Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=path,
                args=["--no-sandbox", "--disable-background-networking", "--disable-sync"],
            )
        except Error:
            if os.environ.get("CI"):
                raise
            pytest.skip("there is no Chromium: ./dev test installs one")
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Chromium, site: str) -> Iterator[Page]:
    """An empty tab. What its console complains of fails the test."""
    complaints: list[str] = []
    context = chromium.new_context(base_url=site)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if _is_policy(line.text) else None)
    yield page
    context.close()
    assert not complaints


def _is_policy(line: str) -> bool:
    return "Content Security Policy" in line


def log_in(page: Page, email: str = ANN["email"], password: str = ANN["password"]) -> None:
    """Log in as people do, with a browser that stands anywhere."""
    page.goto("/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("/")
