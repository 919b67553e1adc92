"""The cookie that holds the tokens."""

import json
import time
from base64 import urlsafe_b64encode
from http.cookies import SimpleCookie
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.web.browsing import ANN, Browser
from tests.web.conftest import NewApp
from tests.web.serving import KEYS

_LARGEST = 4093
_FERNET = Fernet(urlsafe_b64encode(KEYS[0]))


def opened(browser: Browser) -> dict[str, Any]:
    """What the cookie holds, to those who have the key."""
    content: dict[str, Any] = json.loads(_FERNET.decrypt(browser.cookie()))
    return content


def sealed(content: dict[str, Any]) -> str:
    return _FERNET.encrypt(json.dumps(content).encode()).decode()


def test_nobody_can_read_it_and_no_script_can_get_it(ann: Browser) -> None:
    content = opened(ann)
    assert content["user"]["email"] == "ann@example.org"
    assert content["tokens"]["access_token"] not in ann.cookie()
    assert len(ann.cookie()) < _LARGEST / 2
    found = ann.client.get_cookie("aigen")
    assert found is not None
    assert (found.http_only, found.secure, found.same_site, found.path) == (True, False, "Lax", "/")
    assert found.max_age is not None
    assert 13 * 86_400 < found.max_age <= 14 * 86_400


def test_over_https_it_belongs_to_this_host_alone(new_app: NewApp) -> None:
    client = new_app(web_url="https://aigen.example.org").test_client()
    answer = client.get("/login", base_url="https://aigen.example.org")
    cookie = SimpleCookie(answer.headers["Set-Cookie"])["__Host-aigen"]
    assert (cookie["secure"], cookie["httponly"]) == (True, True)
    assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_it_is_sent_only_when_it_has_changed(ann: Browser) -> None:
    for path in ("/", "/text", "/users/profile", "/nothing", "/login"):
        assert ann.open(path, follow=False).header("Set-Cookie") == ""


@pytest.mark.parametrize(
    "value",
    ["", "x", "ü", "gAAAAA", "a.b.c", "%00", Fernet(Fernet.generate_key()).encrypt(b"{}").decode()],
)
def test_one_that_is_broken_or_not_ours_is_an_empty_session(guest: Browser, value: str) -> None:
    guest.give_cookie(value)
    assert guest.open("/").path == "/login"
    assert guest.log_in().path == "/"


@pytest.mark.parametrize("content", [b"", b"[]", b"1", b"null", b'"text"', b"\xff"])
def test_one_of_ours_with_strange_content_is_an_empty_session(
    guest: Browser, content: bytes
) -> None:
    guest.give_cookie(_FERNET.encrypt(content).decode())
    assert guest.open("/").path == "/login"


def test_a_key_can_be_rotated_out_in_two_steps(ann: Browser, new_app: NewApp) -> None:
    old, new = KEYS[0], b"n" * 32
    rotated = Browser(new_app(keys=(new, old)))
    rotated.give_cookie(ann.cookie())
    assert rotated.open("/").path == "/"
    without = Browser(new_app(keys=(new,)))
    without.give_cookie(ann.cookie())
    assert without.open("/").path == "/login"


def test_it_ends_with_the_session(ann: Browser) -> None:
    assert opened(ann)["tokens"]["ends_at"] > time.time()
    ann.open("/").form("/logout").send()
    assert "tokens" not in opened(ann)
    assert "user" not in opened(ann)


def test_a_login_leaves_nothing_of_the_session_before(guest: Browser) -> None:
    form = guest.open("/login").form("/login")
    before = opened(guest)["csrf_token"]
    form.send(**ANN)
    assert opened(guest)["csrf_token"] != before
