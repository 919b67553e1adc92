"""Login, logout, registration."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.e2e.processes import Person, Process, api
from tests.web.browsing import ANN, Browser
from tests.web.conftest import NewApp


def test_a_login_leads_to_the_dashboard(guest: Browser) -> None:
    page = guest.open("/login").form("/login").send(**ANN)
    assert (page.status, page.path) == (200, "/")
    assert "ann@example.org" in page.text
    assert "Admin" not in page.text


def test_an_administrator_is_shown_the_way_to_the_administration(admin: Browser) -> None:
    assert 'href="/admin"' in admin.open("/").html


def test_a_wrong_password_is_said_at_the_form_which_keeps_the_address(guest: Browser) -> None:
    page = guest.open("/login").form("/login").send(email="ann@example.org", password="wrong")
    assert page.status == 401
    assert "E-mail or password is wrong." in page.text
    assert page.form("/login").fields["email"] == "ann@example.org"
    assert "wrong" not in page.form("/login").fields.values()


def test_a_page_that_needs_a_login_comes_after_it(guest: Browser) -> None:
    page = guest.open("/text?q=tides")
    assert page.path == "/login?next=/text?q%3Dtides"
    assert page.form("/login").send(**ANN).path == "/text?q=tides"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        " //evil.example",
        "evil.example",
        "",
    ],
)
def test_a_login_never_leads_to_another_site(guest: Browser, target: str) -> None:
    form = guest.open("/login").form("/login")
    answer = guest.post("/login", form.fields | ANN | {"next": target}, follow=False)
    assert (answer.status, answer.header("Location")) == (302, "/")
    again = guest.client.get("/login", query_string={"next": target})
    assert again.headers["Location"] == "/"


def test_who_is_logged_in_needs_no_login(ann: Browser) -> None:
    assert ann.open("/login?next=/text").path == "/text"


def test_a_logout_ends_the_session_at_the_api_too(ann: Browser, house: Process) -> None:
    kept = ann.cookie()
    page = ann.open("/").form("/logout").send()
    assert (page.path, "You are logged out." in page.text) == ("/login", True)
    assert ann.open("/").path == "/login"
    ann.give_cookie(kept)  # as a thief would who has copied it before
    page = ann.open("/text")
    assert page.path == "/login?next=/text"
    assert "Your session has ended." in page.text


def test_a_session_that_was_ended_elsewhere_is_said_once(ann: Browser) -> None:
    other = Browser(ann.client.application)
    other.give_cookie(ann.cookie())
    other.open("/").form("/logout").send()
    assert "Your session has ended." in ann.open("/").text
    assert "Your session has ended." not in ann.open("/").text


def test_registration_is_offered_only_where_it_is_open(guest: Browser) -> None:
    assert guest.open("/register").status == 404
    assert "/register" not in guest.open("/login").html


@pytest.fixture(scope="module")
def open_house(provider: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """An API at which anybody may register, and with little patience for wrong passwords."""
    process = api(
        tmp_path_factory.mktemp("open"),
        provider.url,
        AIGEN_REGISTRATION="open",
        AIGEN_LOGIN_FAILURES="3",
    )
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def open_app(new_app: NewApp, open_house: Process) -> Flask:
    return new_app(open_house)


def test_who_registers_is_logged_in(open_app: Flask) -> None:
    guest = Browser(open_app)
    form = guest.open("/register").form("/register")
    page = form.send(email="new@example.org", password="short")
    assert page.status == 422
    assert "12" in page.text
    assert "at least" in page.text
    page = form.send(email="new@example.org", password="twelve is enough")
    assert (page.path, "Your account is ready." in page.text) == ("/", True)
    again = Browser(open_app).open("/register").form("/register")
    page = again.send(email="new@example.org", password="twelve is enough")
    assert (page.status, "already has an account" in page.text) == (409, True)


def test_too_many_failures_are_told_with_the_time_to_wait(open_app: Flask) -> None:
    guest = Browser(open_app)
    form = guest.open("/login").form("/login")
    pages = [form.send(email="root@example.org", password="wrong") for _ in range(5)]
    page = pages[-1]
    assert page.status == 429
    assert "Try again in" in page.text
    assert int(page.header("Retry-After")) >= 1


def test_the_api_is_told_from_where_somebody_logs_in(guest: Browser, root: Person) -> None:
    form = guest.open("/login").form("/login")
    guest.client.environ_base["REMOTE_ADDR"] = "203.0.113.7"
    guest.headers["X-Forwarded-For"] = "198.51.100.1"  # who is no trusted proxy may say anything
    form.send(**ANN)
    assert root.get("/admin/audit?limit=100")["items"][0]["address"] == "203.0.113.7"


def test_a_trusted_proxy_is_believed_whom_it_speaks_for(new_app: NewApp, root: Person) -> None:
    guest = Browser(new_app(trusted_proxies=("127.0.0.0/8",)))
    guest.headers["X-Forwarded-For"] = "198.51.100.1, 203.0.113.8, 127.0.0.2"
    guest.log_in()
    assert root.get("/admin/audit?limit=100")["items"][0]["address"] == "203.0.113.8"
