"""Tokens are renewed without anybody noticing, by however many requests at once."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from aigen.adapters.http.client import ApiClient, ApiRefused
from tests.e2e.processes import ADMIN, Person, Process, api, free_port, until
from tests.web.browsing import Browser, Page
from tests.web.conftest import NewApp
from tests.web.test_cookie import opened, sealed


def due(browser: Browser) -> str:
    """The browser's cookie, as if its access token were about to expire."""
    content = opened(browser)
    content["tokens"]["renew_at"] = 0
    return sealed(content)


def with_cookie(app: Flask, cookie: str) -> Browser:
    browser = Browser(app)
    browser.give_cookie(cookie)
    return browser


def at_once(count: int, ask: Callable[[int], Page]) -> list[Page]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, range(count)))


def test_tokens_that_are_about_to_expire_are_renewed(ann: Browser) -> None:
    before = opened(ann)["tokens"]
    ann.give_cookie(due(ann))
    assert ann.open("/").path == "/"
    after = opened(ann)["tokens"]
    assert after["refresh_token"] != before["refresh_token"]
    assert after["renew_at"] > time.time() + 800
    assert ann.open("/", follow=False).header("Set-Cookie") == ""


def test_ten_requests_at_once_get_the_same_tokens(
    app: Flask, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshes = count_refreshes(monkeypatch)
    cookie = due(ann)
    browsers = [with_cookie(app, cookie) for _ in range(10)]
    pages = at_once(10, lambda place: browsers[place].open("/text"))
    assert [page.path for page in pages] == ["/text"] * 10
    assert len({opened(browser)["tokens"]["refresh_token"] for browser in browsers}) == 1
    assert len(refreshes) == 1
    assert [browser.open("/").path for browser in browsers] == ["/"] * 10


def test_requests_to_several_processes_agree(new_app: NewApp, ann: Browser) -> None:
    cookie = due(ann)
    browsers = [with_cookie(new_app(), cookie) for _ in range(4)]
    pages = at_once(4, lambda place: browsers[place].open("/text"))
    assert [page.path for page in pages] == ["/text"] * 4
    assert [browser.open("/").path for browser in browsers] == ["/"] * 4


def test_a_slow_request_does_not_put_back_tokens_that_were_renewed_meanwhile(
    app: Flask, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer has something to say to the user, and so sends the cookie as well."""
    slow, quick = with_cookie(app, ann.cookie()), with_cookie(app, due(ann))
    form = slow.open("/users/profile").form("/users/profile")
    ask = ApiClient.ask

    def overtaken(self: ApiClient, method: str, path: str, **parts: Any) -> Any:
        monkeypatch.setattr(ApiClient, "ask", ask)
        with ThreadPoolExecutor(1) as another:
            another.submit(quick.open, "/").result()
        return ask(self, method, path, **parts)

    monkeypatch.setattr(ApiClient, "ask", overtaken)
    assert "Nothing was changed." in form.send().text
    assert opened(slow)["tokens"]["refresh_token"] == opened(quick)["tokens"]["refresh_token"]


def test_later_than_the_retry_window_a_replay_is_for_the_api_to_judge(
    app: Flask, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    stolen = due(ann)
    ann.give_cookie(due(ann))
    ann.open("/")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 40)
    refreshes = count_refreshes(monkeypatch)
    with_cookie(app, stolen).open("/")
    assert len(refreshes) == 1, "not answered from memory"


def test_who_is_promoted_sees_it_after_the_next_renewal(
    app: Flask, root: Person, ann: Browser
) -> None:
    user_id = opened(ann)["user"]["id"]
    root.client.put(f"/users/{user_id}/role", json={"role": "admin"}).raise_for_status()
    assert 'href="/admin"' not in ann.open("/").html
    ann.give_cookie(due(ann))
    assert 'href="/admin"' in ann.open("/").html
    root.client.put(f"/users/{user_id}/role", json={"role": "user"}).raise_for_status()


def test_an_api_that_is_down_logs_nobody_out(ann: Browser, new_app: NewApp) -> None:
    away = with_cookie(new_app(api_url=f"http://127.0.0.1:{free_port()}"), due(ann))
    page = away.open("/")
    assert (page.status, page.path) == (503, "/")
    assert "You are still logged in" in page.text
    assert page.header("Set-Cookie") == ""


@pytest.fixture(scope="module")
def hasty_house(provider: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """An API whose access tokens live for a second."""
    process = api(tmp_path_factory.mktemp("hasty"), provider.url, AIGEN_ACCESS_TOKEN_TTL="1")
    process.start()
    yield process
    assert process.stop() == 0


def test_polling_at_expiry_keeps_the_user_logged_in(hasty_house: Process, new_app: NewApp) -> None:
    app = new_app(hasty_house)
    browser = Browser(app)
    browser.log_in(ADMIN["email"], ADMIN["password"])
    for _ in range(3):
        token = opened(browser)["tokens"]["access_token"]
        until(lambda token=token: is_expired(hasty_house, token), "the token to expire")
        pages = at_once(10, lambda _: with_cookie(app, browser.cookie()).open("/text"))
        assert [page.path for page in pages] == ["/text"] * 10
        assert browser.open("/").path == "/"


def test_a_token_that_the_api_calls_expired_is_renewed_whatever_our_clock_says(
    hasty_house: Process, new_app: NewApp
) -> None:
    browser = Browser(new_app(hasty_house))
    browser.log_in(ADMIN["email"], ADMIN["password"])
    content = opened(browser)
    content["tokens"]["renew_at"] = time.time() + 1000
    token = content["tokens"]["access_token"]
    until(lambda: is_expired(hasty_house, token), "the token to expire")
    browser.give_cookie(sealed(content))
    assert browser.open("/").path == "/"


def is_expired(house: Process, token: str) -> bool:
    with ApiClient(house.url, token) as client:
        try:
            client.ask("GET", "/users/me")
        except ApiRefused as refusal:
            return refusal.problem == "token_expired"
    return False


def count_refreshes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes every refresh that our process asks for."""
    asked: list[str] = []
    ask = ApiClient.ask

    def noting(self: ApiClient, method: str, path: str, **parts: Any) -> Any:
        if path == "/auth/refresh":
            asked.append(path)
        return ask(self, method, path, **parts)

    monkeypatch.setattr(ApiClient, "ask", noting)
    return asked
