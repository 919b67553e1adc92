"""The frontend under attack: every form from elsewhere, every way out, every answer's seal."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from aigen.entrypoints.web.app import create_app
from aigen.entrypoints.web.forms import local_path
from aigen.entrypoints.web.settings import WebSettings
from tests.e2e.processes import ADMIN, Person, Process, api
from tests.web.browsing import ANN, Browser
from tests.web.serving import KEYS, web_token

_SAFE = {"GET", "HEAD", "OPTIONS"}
_ID = "0192f0c0-1111-7222-8333-444455556666"
_PLACES = {
    "token": "x",
    "kind": "image",
    "place": "1",
    "file": "aigen.css",
    "version": "x",
    "ending": "csv",
}


@pytest.fixture(scope="module")
def site(provider: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    house = api(tmp_path_factory.mktemp("house"), provider.url, AIGEN_REGISTRATION="open")
    house.start()
    root = Person.log_in(house.url, **ADMIN)
    root.post("/users", ANN, 201)
    root.close()
    app = create_app(WebSettings(api_url=house.url, keys=KEYS, web_token=web_token(house)))
    yield app
    app.extensions["aigen"].api.close()
    assert house.stop() == 0


@pytest.fixture
def ann(site: Flask) -> Browser:
    browser = Browser(site)
    browser.log_in()
    return browser


@pytest.fixture
def admin(site: Flask) -> Browser:
    browser = Browser(site)
    browser.log_in(**ADMIN)
    return browser


def path_of(rule: Rule) -> str:
    """An address of the rule, with something in each of its places."""
    places = {name: _PLACES.get(name, _ID) for name in rule.arguments}
    built = rule.build({**places, **(rule.defaults or {})})
    assert built is not None, rule
    return built[1]


def unsafe(site: Flask) -> list[tuple[str, str]]:
    """Every route that changes something."""
    return [
        (method, path_of(rule))
        for rule in site.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - _SAFE)
    ]


def safe(site: Flask) -> list[str]:
    return [path_of(rule) for rule in site.url_map.iter_rules() if "GET" in (rule.methods or ())]


# --- forms that others send -----------------------------------------------------------------------

FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


def test_no_form_from_another_site_is_taken_anywhere(site: Flask, admin: Browser) -> None:
    fields = admin.open("/").form("/logout").fields
    assert len(unsafe(site)) > 15
    for method, path in unsafe(site):
        for headers in FOREIGN:
            answer = admin.client.open(path, method=method, data=fields, headers=headers)
            assert answer.status_code == 400, (method, path, headers)
    assert admin.open("/admin").status == 200  # nobody was logged out, demoted or removed


def test_no_form_without_its_sessions_token_is_taken_anywhere(
    site: Flask, admin: Browser, ann: Browser
) -> None:
    another = ann.open("/").form("/logout").fields["csrf_token"]
    for method, path in unsafe(site):
        for token in (None, "", another, another[:-1], "x" * 5000):
            data = {} if token is None else {"csrf_token": token}
            answer = admin.client.open(path, method=method, data=data, headers=admin.headers)
            assert answer.status_code == 400, (method, path, token)
    assert admin.open("/admin").status == 200


def test_a_token_in_the_address_or_a_header_of_the_attackers_is_none(admin: Browser) -> None:
    token = admin.open("/").form("/logout").fields["csrf_token"]
    answer = admin.client.post(f"/logout?csrf_token={token}", headers=admin.headers)
    assert answer.status_code == 400


def test_looking_changes_nothing(site: Flask, admin: Browser) -> None:
    """What a picture or a link on another site can make a browser ask for."""
    before = admin.open("/admin").text
    for path in safe(site):
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = admin.client.open(
                path, method=method, headers={"Sec-Fetch-Site": "cross-site"}
            )
            assert answer.status_code < 500, (method, path)
    assert admin.open("/admin").text == before


# --- who may see what -----------------------------------------------------------------------------

_FOR_ALL = ("/login", "/register", "/reset/", "/static/", "/healthz", "/favicon.ico", "/robots.txt")


def test_without_a_login_every_page_leads_to_it(site: Flask) -> None:
    guest = Browser(site)
    for path in safe(site):
        if path.startswith(_FOR_ALL):
            continue
        answer = guest.client.get(path)
        while answer.status_code == 308:  # one page that has two addresses
            answer = guest.client.get(answer.location)
        is_led_there = answer.status_code == 302 and answer.location.startswith("/login")
        assert is_led_there or answer.status_code == 401, (path, answer.status_code)


def test_administration_is_closed_to_plain_users_whatever_the_method(
    site: Flask, ann: Browser
) -> None:
    token = {"csrf_token": ann.open("/").form("/logout").fields["csrf_token"]}
    asked = [("GET", path) for path in safe(site)] + unsafe(site)
    of_admins = [(method, path) for method, path in asked if path.startswith("/admin")]
    assert len(of_admins) > 5
    for method, path in of_admins:
        answer = ann.client.open(path, method=method, data=token, headers=ann.headers)
        assert answer.status_code == 403, (method, path)


# --- ways out -------------------------------------------------------------------------------------

ELSEWHERE = (
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "http:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/%09/evil.example",
    "//evil.example/%2e%2e",
    "/login\r\nSet-Cookie: a=b",
    "//[::1]",
    "/x@evil.example",
)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_page_sends_anybody_elsewhere(site: Flask, ann: Browser, target: str) -> None:
    fields = ann.open("/").form("/logout").fields
    guest = Browser(site)
    form = guest.open("/login").form("/login")
    answers = [
        ann.client.get("/login", query_string={"next": target}),
        guest.client.post(
            "/login", query_string={"next": target}, data=form.fields | ANN, headers=guest.headers
        ),
        *(
            ann.client.open(
                path, method=method, data=fields | {"next": target}, headers=ann.headers
            )
            for method, path in unsafe(site)
            if path.startswith("/gallery")
        ),
    ]
    for answer in answers:
        assert "evil" not in answer.headers.get("Location", "").partition("?")[0].lower() or (
            re.match(r"/[^/\\]", answer.headers["Location"])
        )
        assert answer.headers.getlist("Set-Cookie") == [
            cookie for cookie in answer.headers.getlist("Set-Cookie") if cookie.startswith("aigen=")
        ]
    assert re.fullmatch(r"/|/[^/\\\s][^\\\s]*", local_path(target))


# --- the cookie -----------------------------------------------------------------------------------


def test_a_cookie_that_was_planted_before_the_login_is_worth_nothing_after_it(site: Flask) -> None:
    """The attacker's session does not become the victim's: fixation."""
    attacker, victim = Browser(site), Browser(site)
    attacker.open("/login")
    planted = attacker.cookie()
    victim.give_cookie(planted)
    victim.log_in()
    assert victim.cookie() != planted
    assert attacker.open("/").path.startswith("/login")
    assert Browser(site).open("/").path.startswith("/login")


def test_a_cookie_copied_before_the_logout_is_worth_nothing_after_it(
    site: Flask, ann: Browser
) -> None:
    thief = Browser(site)
    thief.give_cookie(ann.cookie())
    assert thief.open("/").path == "/"
    ann.open("/").form("/logout").send()
    assert thief.open("/text").path.startswith("/login")


def test_every_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Flask) -> None:
    over_https = create_app(
        WebSettings(
            api_url="http://127.0.0.1:9", keys=KEYS, web_token="x", web_url="https://a.example"
        )
    )
    plain = site.test_client().get("/login").headers.getlist("Set-Cookie")
    secure = (
        over_https.test_client()
        .get("/login", base_url="https://a.example")
        .headers.getlist("Set-Cookie")
    )
    over_https.extensions["aigen"].api.close()
    assert len(plain) == len(secure) == 1
    for cookie in (*plain, *secure):
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    assert secure[0].startswith("__Host-aigen=")
    assert "Secure" in secure[0].split("; ")


# --- what is shown, and how it is sealed ----------------------------------------------------------

#: What a browser would run if it came into a page as it is.
SCRIPTS = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</textarea><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "[x](javascript:alert(1))",
    "{{7*7}}",
)
#: What fields and parts of queries are called.
NAMES = (
    "q model prompt email cursor next status kind tab reuse image_url aspect_ratio size duration"
    " seed system picture after n turn current_password name from to group provider_job_id"
).split()


_ADDRESSES = ("href", "src", "action", "formaction", "poster", "srcset", "xlink:href")
_PROGRAM = re.compile(r"\s*(javascript|data:text|vbscript)", re.IGNORECASE)


class _Browser(HTMLParser):
    """Reads a page as a browser does; `run` is what would be run of it."""

    def __init__(self) -> None:
        super().__init__()
        self.run: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "script" and not given.get("src", "").startswith("/static/"):
            self.run.append(tag)
        if tag in {"iframe", "object", "embed", "base", "style"}:
            self.run.append(tag)
        self.run += [name for name in given if name.startswith("on") or name == "style"]
        addresses = [given[name] for name in _ADDRESSES if name in given]
        self.run += [address for address in addresses if _PROGRAM.match(address)]


def run_by(answer: TestResponse) -> list[str]:
    browser = _Browser()
    if answer.mimetype == "text/html":
        browser.feed(answer.text)
    return browser.run


@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_that_is_said_in_an_address_or_a_form_runs(
    site: Flask, admin: Browser, script: str
) -> None:
    said = dict.fromkeys(NAMES, script)
    token = {"csrf_token": admin.open("/").form("/logout").fields["csrf_token"]}
    for path in safe(site):
        answer = admin.client.get(path, query_string=said)
        assert answer.status_code < 500, path
        assert not run_by(answer), path
    for method, path in unsafe(site):
        if path == "/logout":
            continue
        answer = admin.client.open(path, method=method, data=said | token, headers=admin.headers)
        assert answer.status_code < 500, path
        assert not run_by(answer), path


def test_every_answer_of_every_route_is_sealed(site: Flask, admin: Browser) -> None:
    asked = [("GET", path) for path in (*safe(site), "/nothing", "/static/x/../../etc/passwd")]
    asked += [*unsafe(site), ("POST", "/nothing"), ("PATCH", "/login"), ("TRACE", "/")]
    for method, path in asked:
        for browser in (admin, Browser(site)):
            answer = browser.client.open(path, method=method)
            sealed = answer.headers
            assert sealed["X-Content-Type-Options"] == "nosniff", (method, path)
            assert sealed["Referrer-Policy"] == "same-origin", (method, path)
            assert sealed["X-Frame-Options"] == "DENY", (method, path)
            policy = sealed["Content-Security-Policy"]
            assert "default-src 'none'" in policy, (method, path)
            assert "frame-ancestors 'none'" in policy, (method, path)
            assert "unsafe" not in policy, (method, path)
            is_for_ever = path.startswith("/static/") and answer.status_code == 200
            assert is_for_ever or sealed["Cache-Control"] == "no-store", (method, path)
            assert "Server" not in sealed
            assert not [name for name, _ in sealed if name.startswith("Access-Control-")]
