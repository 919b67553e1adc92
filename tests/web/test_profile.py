"""One's own account, and a new password by reset link."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.e2e.processes import Person
from tests.web.browsing import Browser

BEA = {"email": "bea@example.org", "password": "bea's long pass phrase"}


@pytest.fixture
def bea_id(root: Person) -> Iterator[str]:
    user_id = root.post("/users", BEA, 201)["id"]
    yield user_id
    root.delete(f"/users/{user_id}")


@pytest.fixture
def bea(app: Flask, bea_id: str) -> Browser:
    browser = Browser(app)
    browser.log_in(**BEA)
    return browser


def change(browser: Browser, **fields: str) -> str:
    """Fill in the form with these fields; what the page says then."""
    page = browser.open("/users/profile")
    form = page.form("/users/profile")
    return browser.post(form.action, {"csrf_token": form.fields["csrf_token"]} | fields).text


def test_a_new_address_is_shown_at_once_and_is_the_one_to_log_in_with(bea: Browser) -> None:
    said = change(bea, email="Bea.New@example.org", current_password=BEA["password"])
    assert "Your e-mail address has been changed." in said
    assert "Bea.New@example.org" in bea.open("/").text
    other = Browser(bea.client.application)
    assert other.log_in("bea.new@example.org", BEA["password"]).path == "/"


def test_a_new_password_ends_the_other_sessions_and_not_this_one(bea: Browser) -> None:
    elsewhere = Browser(bea.client.application)
    elsewhere.log_in(**BEA)
    said = change(bea, new_password="another long phrase", current_password=BEA["password"])
    assert "All your other sessions have ended." in said
    assert bea.open("/").path == "/"
    assert "Your session has ended." in elsewhere.open("/").text
    assert elsewhere.log_in(BEA["email"], "another long phrase").path == "/"


def test_a_wrong_current_password_is_said_at_the_form_that_was_sent(bea: Browser) -> None:
    said = change(bea, email="x@example.org", current_password="wrong")
    assert said.index("current password is wrong") < said.index("New password")
    said = change(bea, new_password="another long phrase", current_password="wrong")
    assert said.index("current password is wrong") > said.index("Change the address")


def test_what_is_wrong_with_a_field_stands_at_the_field(bea: Browser) -> None:
    form = bea.open("/users/profile").form("/users/profile")
    page = form.send(email="no address", current_password=BEA["password"])
    assert page.status == 422
    assert 'aria-invalid="true" aria-describedby="email-wrong email-hint"' in page.html
    assert page.form("/users/profile").fields["email"] == "no address"


def test_an_address_that_somebody_has_is_refused(bea: Browser) -> None:
    said = change(bea, email="ann@example.org", current_password=BEA["password"])
    assert "already has an account" in said


def test_nothing_to_change_is_no_error(bea: Browser) -> None:
    assert "Nothing was changed." in change(bea, email=BEA["email"], current_password="x")


def test_a_reset_link_sets_a_new_password_once(
    bea: Browser, bea_id: str, root: Person, guest: Browser
) -> None:
    url = root.post(f"/users/{bea_id}/reset-link", status=201)["url"]
    path = "/reset/" + url.rpartition("/")[2]
    form = guest.open(path).form(path)
    page = form.send(new_password="short")
    assert (page.status, "12" in page.text) == (422, True)
    page = form.send(new_password="a brand new phrase")
    assert (page.path, "Your new password is set" in page.text) == ("/login", True)
    assert guest.log_in(BEA["email"], "a brand new phrase").path == "/"
    assert "Your session has ended." in bea.open("/").text
    page = Browser(guest.client.application).open(path).form(path).send(new_password="once more it")
    assert (page.status, "The reset link is wrong, used or expired" in page.text) == (403, True)
