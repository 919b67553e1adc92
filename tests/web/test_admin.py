"""Administration."""

import re
import time
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from flask import Flask, get_template_attribute

from aigen.domain.model.audit import Action
from aigen.entrypoints.web import readiness
from aigen.entrypoints.web.audit import _SENTENCES, sentence
from tests.e2e.processes import ADMIN, TEXT_MODEL, Person, Process, api, free_port, until
from tests.web.browsing import Browser
from tests.web.conftest import NewApp
from tests.web.test_cookie import opened
from tests.web.test_profile import BEA, bea, bea_id

__all__ = ["bea", "bea_id"]


# --- who may --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/admin", "/admin/audit"])
def test_it_is_not_for_plain_users(ann: Browser, guest: Browser, path: str) -> None:
    page = ann.open(path)
    assert (page.status, "Not for you" in page.text) == (403, True)
    assert guest.open(path).path == f"/login?next={path}"


def test_plain_users_can_change_nothing(ann: Browser, bea_id: str) -> None:
    fields = ann.open("/").form("/logout").fields
    for what in ("role", "delete", "reset-link"):
        page = ann.post(f"/admin/users/{bea_id}/{what}", fields | {"role": "admin"})
        assert page.status == 403
    assert ann.post("/admin/users", fields | {"email": "eve@example.org"}).status == 403
    assert ann.post(f"/admin/videos/{bea_id}/resolve", fields | {"charged": "true"}).status == 403


# --- accounts -------------------------------------------------------------------------------


def test_a_user_is_added_with_a_password_that_is_shown_once(
    admin: Browser, guest: Browser, root: Person
) -> None:
    form = admin.open("/admin").form("/admin/users")
    page = form.send(email="carl@example.org")
    assert page.status == 200
    found = re.search(r'class="source">([^<]+)<', page.html)
    assert found is not None
    assert guest.log_in("carl@example.org", found[1]).path == "/"
    assert found[1] not in admin.open("/admin").html
    page = form.send(email="carl@example.org")
    assert (page.status, "already has an account" in page.text) == (409, True)
    assert page.form("/admin/users").fields["email"] == "carl@example.org"
    carl = root.get("/users?q=carl")["items"][0]
    root.delete(f"/users/{carl['id']}")


def test_a_user_is_added_with_a_password_that_was_typed(
    admin: Browser, guest: Browser, root: Person
) -> None:
    form = admin.open("/admin").form("/admin/users")
    page = form.send(email="dora@example.org", password="short", role="admin")
    assert (page.status, 'id="password-wrong"' in page.html) == (422, True)
    page = page.form("/admin/users").send(password="a long enough phrase")
    assert (page.path, "dora@example.org can log in now." in page.text) == ("/admin", True)
    assert guest.log_in("dora@example.org", "a long enough phrase").path == "/"
    assert guest.open("/admin").status == 200, "the role was kept"
    dora = root.get("/users?q=dora")["items"][0]
    root.delete(f"/users/{dora['id']}")


def test_a_role_is_changed_there_and_back(admin: Browser, bea: Browser, bea_id: str) -> None:
    path = f"/admin/users/{bea_id}/role"
    page = admin.open("/admin").form(path).send()
    assert "bea@example.org is an administrator now." in page.text
    assert bea.open("/admin").status == 200
    page = page.form(path).send()
    assert "bea@example.org is a plain user now." in page.text
    assert bea.open("/admin").status == 403


def test_who_gives_up_the_role_is_told_and_led_away(
    admin: Browser, bea: Browser, bea_id: str
) -> None:
    path = f"/admin/users/{bea_id}/role"
    admin.open("/admin").form(path).send()
    page = bea.open("/admin").form(path).send()
    assert (page.path, "You are no longer an administrator." in page.text) == ("/", True)
    assert 'href="/admin"' not in page.html


@pytest.mark.parametrize("what", ["role", "delete"])
def test_the_last_administrator_stays(admin: Browser, what: str) -> None:
    own = opened(admin)["user"]["id"]
    page = admin.open("/admin?q=root").form(f"/admin/users/{own}/{what}").send()
    assert page.status == 409
    assert "This is the last administrator: promote somebody else first." in page.text
    assert admin.open("/admin").status == 200


def test_an_account_is_removed_with_a_word_before_and_after(
    admin: Browser, guest: Browser, root: Person
) -> None:
    finn = {"email": "finn@example.org", "password": "finn's long phrase"}
    user_id = root.post("/users", finn, 201)["id"]
    guest.log_in(**finn)
    page = admin.open("/admin?q=finn")
    assert "Remove finn@example.org with everything that they have made?" in page.html
    form = page.form(f"/admin/users/{user_id}/delete")
    page = form.send()
    assert "The account has been removed" in page.text
    assert "Your session has ended." in guest.open("/").text
    page = form.send()
    assert (page.status, "There is no such thing" in page.text) == (404, True)


def test_who_removes_themselves_is_logged_out(admin: Browser, guest: Browser, root: Person) -> None:
    gina = {"email": "gina@example.org", "password": "gina's long phrase", "role": "admin"}
    user_id = root.post("/users", gina, 201)["id"]
    guest.log_in(gina["email"], gina["password"])
    page = guest.open("/admin").form(f"/admin/users/{user_id}/delete").send()
    assert (page.path, "Your account has been removed." in page.text) == ("/login", True)


def test_a_reset_link_is_shown_once(
    admin: Browser, bea: Browser, bea_id: str, guest: Browser
) -> None:
    page = admin.open("/admin").form(f"/admin/users/{bea_id}/reset-link").send()
    found = re.search(r'class="source">https?://[^/]+(/reset/[^<]+)<', page.html)
    assert found is not None
    assert "bea@example.org" in page.text
    page = guest.open(found[1]).form(found[1]).send(new_password="a brand new phrase")
    assert page.path == "/login"
    assert guest.log_in(BEA["email"], "a brand new phrase").path == "/"


def test_users_are_found_and_paged(admin: Browser, root: Person) -> None:
    people = [f"zoe{number}@example.org" for number in range(22)]
    ids = [
        root.post("/users", {"email": email, "password": "zoe's long phrase"}, 201)["id"]
        for email in people
    ]
    page = admin.open("/admin?q=ZOE")
    assert "zoe21@example.org" in page.text
    assert "zoe0@example.org" not in page.text
    older = re.search(r'href="(/admin\?q=ZOE&amp;cursor=[^"]+)"', page.html)
    assert older is not None
    page = admin.open(older[1].replace("&amp;", "&"))
    assert "zoe0@example.org" in page.text
    page = page.form(f"/admin/users/{ids[0]}/role").send()
    assert page.path == older[1].replace("&amp;", "&")
    for user_id in ids:
        root.delete(f"/users/{user_id}")
    assert "Nobody has such an address." in admin.open("/admin?q=ZOE").text


# --- numbers --------------------------------------------------------------------------------


def test_the_numbers_are_those_of_the_api(admin: Browser, root: Person) -> None:
    page = admin.open("/admin")
    stats = root.get("/admin/stats")
    for name, count in (
        ("plain users", stats["users"]["total"] - stats["users"]["admins"]),
        ("admins", stats["users"]["admins"]),
        ("texts", stats["texts"]["total"]),
        ("images", stats["images"]["total"]),
        ("cancelled", stats["videos"]["cancelled"]),
    ):
        assert f"{name} {count:,} " in page.text
    assert re.search(r"this month \$\d", page.text)


# --- videos of which nobody knows -------------------------------------------------------------


@pytest.fixture
def lost(ann_at_api: Person) -> str:
    """A video of which nobody knows whether the provider took it."""
    job_id = ann_at_api.video("A secret wish sim:reset")
    ann_at_api.wait(job_id)
    return job_id


@pytest.mark.parametrize("charged", ["true", "false"])
def test_a_lost_submission_is_closed(
    admin: Browser, ann_at_api: Person, lost: str, charged: str
) -> None:
    page = admin.open("/admin")
    assert "ann@example.org Nobody knows whether the provider took it" in page.text
    assert "A secret wish" not in page.html
    form = page.form(f"/admin/videos/{lost}/resolve")
    fields = {"csrf_token": form.fields["csrf_token"], "charged": charged}
    page = admin.post(form.action, fields)
    assert "The video is settled." in page.text
    assert lost not in page.html
    job = ann_at_api.get(f"/generate/video/{lost}/status")
    assert job["may_be_charged"] is (charged == "true")
    page = admin.post(form.action, fields)
    assert (page.status, "outcome is unknown can be settled" in page.text) == (409, True)


def test_a_lost_submission_is_found_again_by_the_providers_id(
    admin: Browser, ann_at_api: Person, lost: str
) -> None:
    form = admin.open("/admin").form(f"/admin/videos/{lost}/resolve")
    page = form.send(provider_job_id="x" * 201)
    assert (page.status, f'id="provider-{lost}-wrong"' in page.html) == (422, True)
    page = form.send(provider_job_id="theirs-1")
    assert "The video goes on." in page.text
    assert ann_at_api.get(f"/generate/video/{lost}/status")["status"] == "processing"
    ann_at_api.post(f"/generate/video/{lost}/cancel")


# --- retention ------------------------------------------------------------------------------


def test_by_default_everything_is_kept_for_ever(admin: Browser) -> None:
    assert "Everything is kept for ever, unless AIGEN_RETENTION_DAYS" in admin.open("/admin").text


@pytest.mark.parametrize(
    ("days", "bytes_per_user", "users", "said"),
    [
        (30, None, 0, "Kept for 30 days. Nothing is due to go."),
        (1, 2**30, 1, "Kept for 1 day, and of each user's files the newest 1 GiB. Within the hour"),
        (None, 2**20, 2, "Of each user's files the newest 1 MiB are kept. Within the hour go "),
        (30, None, 1, "go 0 texts, 1 image and 2 videos, with 3 files of 1.5 KiB: ann0@"),
        (30, None, 12, "ann9@example.org: 0 texts, 1 image and 2 videos, with 3 files of 1.5 KiB"),
        (30, None, 12, "and 2 other users"),
    ],
)
def test_an_administrator_sees_what_is_set_and_what_goes(
    app: Flask, days: int | None, bytes_per_user: int | None, users: int, said: str
) -> None:
    counts = {"texts": 0, "images": 1, "videos": 2, "files": 3, "bytes": 1536}
    lines = [counts | {"email": f"ann{number}@example.org"} for number in range(users)]
    policy = {"days": days, "bytes_per_user": bytes_per_user}
    with app.test_request_context():
        retained = get_template_attribute("admin/parts.html", "retained")
        shown = retained(policy | {"total": counts, "items": lines})
    assert said in " ".join(unescape(re.sub("<[^>]*>", "", shown)).split())


# --- the audit ------------------------------------------------------------------------------


def test_the_audit_is_in_sentences(admin: Browser, bea_id: str) -> None:
    form = admin.open("/admin").form(f"/admin/users/{bea_id}/role")
    form.send()
    Browser(admin.client.application).open("/login").form("/login").send(
        email="bea@example.org", password="wrong"
    )
    page = admin.open("/admin/audit")
    assert "root@example.org added bea@example.org." in page.text
    assert "root@example.org made bea@example.org an administrator." in page.text
    assert "Somebody failed to log in as bea@example.org." in page.text
    older = re.search(r'href="(/admin/audit\?cursor=[^"]+)"', page.html)
    assert older is None or admin.open(older[1]).status == 200


@pytest.mark.parametrize("what", [*Action])
def test_everything_that_is_audited_has_a_sentence(what: Action) -> None:
    entry: dict[str, Any] = {
        "action": what.value,
        "actor_id": None,
        "target_id": "1",
        "details": {},
    }
    said = sentence(entry, lambda user_id: f"user {user_id}")
    assert said[0].isupper()
    assert "{" not in said
    assert len(_SENTENCES) == len(Action)


# --- trouble --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def poor_house(provider: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """An API whose provider has said that there is no credit left."""
    process = api(tmp_path_factory.mktemp("poor"), provider.url)
    process.start()
    root = Person.log_in(process.url, ADMIN["email"], ADMIN["password"])
    root.post("/users", BEA, 201)
    root.post("/generate/text", {"model": TEXT_MODEL, "prompt": "Dear sim:credits"}, 502)
    root.close()
    yield process
    assert process.stop() == 0


def test_administrators_see_on_every_page_that_the_provider_wants_money(
    new_app: NewApp, poor_house: Process
) -> None:
    app = new_app(poor_house)
    root, plain = Browser(app), Browser(app)
    root.log_in(ADMIN["email"], ADMIN["password"])
    plain.log_in(**BEA)
    for path in ("/", "/text", "/admin", "/users/profile", "/nothing"):
        assert "Not ready: the provider refuses our key or credit" in root.open(path).text
        assert "Not ready" not in plain.open(path).text


def test_where_all_is_well_nothing_is_said(admin: Browser) -> None:
    assert "Not ready" not in admin.open("/").text


def test_an_api_that_is_away_or_silent_costs_a_page_little(
    admin: Browser, new_app: NewApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Browser(new_app(api_url=f"http://127.0.0.1:{free_port()}"))
    away.give_cookie(admin.cookie())
    assert away.open("/nothing").status == 404
    known = away.client.application.extensions["aigen"].readiness
    monkeypatch.setattr(known, "_answer", lambda: time.sleep(5))
    known._asked_at = -1e9
    began = time.monotonic()
    for _ in range(5):
        assert away.open("/nothing").status == 404
    assert time.monotonic() - began < 2


def test_trouble_that_has_passed_is_no_longer_shown(
    admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = admin.client.application.extensions["aigen"].readiness
    answers = iter([("the bucket is away",), ()])
    monkeypatch.setattr(known, "_answer", lambda: next(answers))
    known._asked_at = -1e9
    assert "Not ready: the bucket is away." in admin.open("/").text
    assert "Not ready" in admin.open("/").text, "asked once in a while"
    monkeypatch.setattr(readiness, "_FRESH_SECONDS", 0.0)
    until(lambda: "Not ready" not in admin.open("/nothing").text, "the trouble to pass")
