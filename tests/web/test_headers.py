"""What every answer carries, and how much of it there is."""

import gzip
import re

import pytest

from tests.web.browsing import Browser
from tests.web.conftest import NewApp

_PATHS = [
    "/login",
    "/",
    "/nothing",
    "/text",
    "/users/profile",
    "/reset/secret",
    "/static/x/none.js",
]


@pytest.mark.parametrize("path", _PATHS)
def test_every_answer_is_sealed(ann: Browser, path: str) -> None:
    page = ann.open(path, follow=False)
    assert page.header("X-Content-Type-Options") == "nosniff"
    assert page.header("X-Frame-Options") == "DENY"
    assert page.header("Referrer-Policy") == "same-origin"
    assert page.header("Cache-Control") == "no-store"
    assert re.fullmatch("[0-9a-f-]{36}", page.header("X-Request-ID"))
    assert page.header("Server") == ""


def test_the_policy_lets_in_our_own_files_and_the_apis_media(ann: Browser) -> None:
    origin = str(ann.client.application.extensions["aigen"].settings.api_url)
    policy = dict(
        part.split(" ", 1) for part in ann.open("/").header("Content-Security-Policy").split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' data: {origin}",
        "media-src": f"'self' {origin}",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }


def test_refusals_and_bugs_are_sealed_too(ann: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    views = ann.client.application.view_functions
    monkeypatch.setitem(views, "dashboard.show", lambda: 1 / 0)
    for page in (ann.post("/text", {}), ann.open("/")):
        assert page.status in {400, 500}
        assert page.header("X-Content-Type-Options") == "nosniff"
        assert page.header("Content-Security-Policy")


def test_a_harmless_request_id_is_kept(guest: Browser) -> None:
    def asked_as(request_id: str) -> str:
        page = guest.open("/login", headers={"X-Request-ID": request_id})
        return page.header("X-Request-ID")

    assert asked_as("abc-1") == "abc-1"
    for odd in ("a b", "x" * 65, "<script>", "ü"):
        assert asked_as(odd) != odd


def test_files_are_kept_for_ever_under_an_address_that_changes_with_them(guest: Browser) -> None:
    address = re.findall(r'href="(/static/\w+/aigen\.css)"', guest.open("/login").html)[0]
    answer = guest.client.get(address, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert (answer.mimetype, answer.headers["Vary"]) == ("text/css", "Accept-Encoding")
    plain = guest.client.get(address)
    assert gzip.decompress(answer.data) == plain.data
    assert "Content-Encoding" not in plain.headers
    before_an_upgrade = guest.client.get("/static/0123456789ab/aigen.css")
    assert before_an_upgrade.data == plain.data
    assert before_an_upgrade.headers["Cache-Control"] == "no-cache"


def test_only_pages_files_are_served(guest: Browser) -> None:
    for name in ("vendor/VENDORED.toml", "../app.py", "vendor/lucide.LICENSE"):
        assert guest.open(f"/static/x/{name}").status == 404


def test_the_first_page_weighs_little_and_comes_from_one_host(guest: Browser) -> None:
    page = guest.open("/login")
    addresses = {*re.findall(r'(?:src|href)="([^"#]+)', page.html)}
    files = {address for address in addresses if address.startswith("/static/")}
    assert not {address for address in addresses if not address.startswith("/")}
    version = next(iter(files)).split("/")[2]
    files |= {f"/static/{version}/js/{name}.js" for name in ("drafts", "api", "text")}
    sent = [guest.client.get(file, headers={"Accept-Encoding": "gzip"}) for file in files]
    assert [answer.status_code for answer in sent] == [200] * len(files)
    assert sum(len(answer.data) for answer in sent) + len(page.html) < 60_000


def test_the_demo_is_marked_on_every_page(guest: Browser, new_app: NewApp) -> None:
    assert "Demo mode" not in guest.open("/login").text
    app = new_app()
    about = app.extensions["aigen"].installation.about()
    known = app.extensions["aigen"].installation._known
    known._value = type(about)(demo=True, media_origin="http://media.example")
    other = Browser(app)
    for path in ("/login", "/nothing"):
        assert "Demo mode" in other.open(path).text
