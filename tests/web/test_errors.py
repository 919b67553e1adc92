"""Errors in the site's design, or as problems for scripts."""

import pytest
from flask import Flask

from tests.e2e.processes import free_port
from tests.web.browsing import Browser
from tests.web.conftest import NewApp


def test_what_does_not_exist_is_said_with_a_way_back(guest: Browser, ann: Browser) -> None:
    page = guest.open("/nothing")
    assert (page.status, "Nothing here" in page.text) == (404, True)
    assert "To the login" in page.text
    assert "To the first page" in ann.open("/nothing").text


def test_a_form_that_is_opened_as_a_page(ann: Browser) -> None:
    page = ann.open("/logout")
    assert (page.status, set(page.header("Allow").split(", "))) == (405, {"OPTIONS", "POST"})


def test_what_is_too_large_is_not_read(new_app: NewApp) -> None:
    browser = Browser(new_app(max_body=10_000))
    browser.log_in()
    form = browser.open("/text").form("/text")
    page = form.send(prompt="x" * 20_000)
    assert (page.status, "Too large" in page.text) == (413, True)


def test_a_bug_says_nothing_about_itself(ann: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise RuntimeError("the secret of the house")

    monkeypatch.setitem(ann.client.application.view_functions, "dashboard.show", broken)
    page = ann.open("/")
    assert (page.status, "Something broke" in page.text) == (500, True)
    assert "secret" not in page.html


def test_an_api_that_is_away_is_said(ann: Browser, new_app: NewApp) -> None:
    away = Browser(new_app(api_url=f"http://127.0.0.1:{free_port()}"))
    away.give_cookie(ann.cookie())
    page = away.open("/text")
    assert (page.status, "cannot be reached" in page.text) == (503, True)
    assert away.open("/nothing").status == 404
    guest = Browser(away.client.application)
    assert guest.open("/login").status == 200


def test_scripts_get_problems(ann: Browser, guest: Browser, app: Flask) -> None:
    form = ann.open("/text").form("/text")
    answer = ann.post("/text/stream", form.fields | {"prompt": ""}).response
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert answer.json is not None
    assert answer.json["code"] == "invalid_request"
    assert answer.json["idempotency_key"] == form.fields["idempotency_key"]
    token = guest.open("/login").form("/login").fields["csrf_token"]
    answer = guest.post("/text/stream", {"csrf_token": token}).response
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")
