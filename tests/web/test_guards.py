"""What is refused before any page sees it."""

import pytest

from tests.web.browsing import ANN, Browser
from tests.web.conftest import NewApp

_FORMS = ["/login", "/logout", "/text", "/text/stream", "/users/profile", "/reset/x"]


@pytest.mark.parametrize("path", _FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "ftp://localhost"},
        {"Origin": "http://localhost:port"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_another_site_does_nothing(
    ann: Browser, path: str, headers: dict[str, str]
) -> None:
    fields = ann.open("/").form("/logout").fields
    page = ann.post(path, fields | ANN, headers=headers)
    assert page.status == 400
    assert "another site" in page.text
    assert ann.open("/").path == "/"


@pytest.mark.parametrize("path", _FORMS)
@pytest.mark.parametrize("token", [None, "", "x", "IngXi.x.y"])
def test_a_form_without_the_token_of_its_session_does_nothing(
    ann: Browser, path: str, token: str | None
) -> None:
    page = ann.post(path, {"csrf_token": token} if token is not None else {})
    assert page.status == 400
    assert "out of date" in page.text
    assert ann.open("/").path == "/"


def test_a_token_is_good_in_its_own_session_only(guest: Browser, ann: Browser) -> None:
    foreign = guest.open("/login").form("/login").fields["csrf_token"]
    assert ann.post("/logout", {"csrf_token": foreign}).status == 400
    assert ann.open("/").path == "/"


def test_browsers_that_say_nothing_of_origins_are_served(guest: Browser) -> None:
    guest.headers.clear()
    assert guest.log_in().path == "/"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_unsafe_methods_are_guarded_too(ann: Browser, method: str) -> None:
    answer = getattr(ann.client, method)("/text", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "host", ["evil.example", "aigen.example.org:81", "aigen.example.org.evil.example", "localhost"]
)
def test_other_names_of_the_server_are_refused_once_its_own_is_known(
    new_app: NewApp, host: str
) -> None:
    client = new_app(web_url="https://aigen.example.org").test_client()
    for path in ("/login", "/nothing", "/static/x/aigen.css"):
        assert client.get(path, headers={"Host": host}).status_code == 400
    assert client.post("/login", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "host", ["aigen.example.org", "AIGEN.example.org", "aigen.example.org:443"]
)
def test_its_own_name_is_taken_in_every_spelling(new_app: NewApp, host: str) -> None:
    client = new_app(web_url="https://aigen.example.org").test_client()
    assert client.get("/login", headers={"Host": host}).status_code == 200


def test_behind_a_proxy_forms_are_taken_from_the_public_address(new_app: NewApp) -> None:
    app = new_app(web_url="https://aigen.example.org")
    client = app.test_client()
    base = "https://aigen.example.org"
    page = client.get("/login", base_url=base)
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    fields = {"csrf_token": token} | ANN
    refused = client.post("/login", base_url=base, data=fields, headers={"Origin": "http://x"})
    taken = client.post("/login", base_url=base, data=fields, headers={"Origin": base})
    assert (refused.status_code, taken.status_code) == (400, 302)
