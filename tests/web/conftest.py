"""One API with a worker and a simulator for all; a frontend and people for each test."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from aigen.entrypoints.web.app import create_app
from aigen.entrypoints.web.settings import WebSettings
from tests.e2e.processes import ADMIN, Person, Process, api, simulator
from tests.web.browsing import ANN, Browser
from tests.web.chromium import chromium_if_any
from tests.web.furnished import Furnished, furnished
from tests.web.serving import KEYS, served, web_token

NewApp = Callable[..., Flask]


@pytest.fixture(scope="package")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture(scope="package")
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
    with served(app) as address:
        yield address


@pytest.fixture(scope="package")
def furnished_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    """A house of its own in which a lot has been made already; nobody changes it."""
    with furnished(tmp_path_factory.mktemp("furnished")) as house:
        yield house


@pytest.fixture(scope="package")
def chromium() -> Iterator[Chromium]:
    with chromium_if_any() as browser:
        yield browser


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
