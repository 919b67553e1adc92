"""Failures of our own: how they look from outside, and what the log says of them."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from aigen.domain.model import errors
from aigen.domain.model.errors import AigenError
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.texts import TextRequest
from aigen.entrypoints import logs
from aigen.entrypoints.api.errors import problem_of
from aigen.ports.provider import Failure, ImageAnswer, TextAnswer
from aigen.testing import ScriptedProvider, bare_settings
from tests.api.answers import assert_json, assert_problem, assert_problem_shape
from tests.api.conftest import OpenWorld
from tests.api.outages import FlakyStore
from tests.api.world import PASSWORD, UNKNOWN_ID, Person, World

# --- the table of the interface -----------------------------------------------------------------

TABLE = {
    401: "unauthenticated invalid_credentials token_expired token_revoked token_invalid "
    "bad_signature",
    402: "spend_limit_reached",
    403: "forbidden wrong_password registration_closed bad_signature link_expired "
    "reset_token_invalid",
    404: "not_found",
    409: "email_taken last_admin job_finished job_unfinished job_not_retryable "
    "idempotency_conflict idempotency_in_progress not_unknown not_held",
    422: "invalid_request provider_refused",
    429: "too_many_attempts too_many_jobs busy",
    500: "internal",
    502: "provider_bad_answer provider_misconfigured",
    503: "provider_unavailable storage_full database_unavailable shutting_down",
    504: "provider_outcome_unknown",
}
#: What only a worker, the operator's command line or a start can meet.
INNER = {
    "lease_lost",
    "media_rejected",
    "cannot_start",
    "database_locked",
    "database_damaged",
    "database_too_new",
    "installation_running",
    "installation_closed",
    "backup_invalid",
}


def leaves(kind: type[AigenError] = AigenError) -> Iterator[type[AigenError]]:
    """The errors that are raised: those without more special ones."""
    below = [found for found in kind.__subclasses__() if found.__module__ == errors.__name__]
    for found in below:
        yield from leaves(found)
    if not below:
        yield kind


LEAVES = tuple(leaves())


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_an_error_has_the_status_and_code_of_the_table(kind: type[AigenError]) -> None:
    problem = problem_of(kind())
    assert_problem_shape(problem.out("an-id").model_dump(), problem.status)
    if problem.code not in INNER:
        assert problem.code in TABLE[problem.status].split()
    assert re.fullmatch(r"[A-Z].*[.]", problem.detail, re.DOTALL)


def test_every_code_of_the_table_is_some_error() -> None:
    known = {(problem_of(kind()).status, kind.code) for kind in LEAVES}
    listed = {(status, code) for status, codes in TABLE.items() for code in codes.split()}
    assert listed - known == {(500, "internal")}


# --- bugs -------------------------------------------------------------------------------------

SECRET = "the-words-of-the-exception"


class Buggy(ScriptedProvider):
    async def complete(self, request: TextRequest) -> TextAnswer | Failure:
        raise RuntimeError(SECRET, request)

    async def generate(
        self, request: ImageRequest, source: str | None = None
    ) -> ImageAnswer | Failure:
        raise KeyError(SECRET, request)


@pytest.mark.parametrize("path", ["/generate/text", "/generate/image"])
async def test_a_bug_is_an_internal_problem_that_says_nothing(
    open_world: OpenWorld, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    provider = Buggy()
    world = await open_world({"text_provider": provider, "image_provider": provider})
    ann = await world.ann()
    with capture_logs() as logged:
        response = await ann.post(path, {"model": "m", "prompt": "my prompt"})
    problem = assert_problem(response, 500, "internal")
    for leaked in (SECRET, "my prompt", "RuntimeError", "KeyError", "Traceback", "/src/"):
        assert leaked not in response.text
    failed = [entry for entry in logged if entry["event"] == "request_failed"]
    assert [entry["request_id"] for entry in failed] == [problem["request_id"]]
    assert all(entry["log_level"] == "error" for entry in failed)


async def test_a_bug_in_the_database_is_an_internal_problem_too(open_world: OpenWorld) -> None:
    store = FlakyStore()
    world = await open_world({"store": store})
    ann = await world.ann()
    store.bug = RuntimeError(SECRET)
    for method, path, body in (
        ("GET", "/users/me", None),
        ("POST", "/auth/login", {"email": ann.email, "password": PASSWORD}),
        ("GET", "/generate/text", None),
        ("POST", "/generate/video", {"model": "m", "prompt": "p"}),
    ):
        with capture_logs():
            response = await ann.ask(method, path, body)
        assert_problem(response, 500, "internal")
        assert SECRET not in response.text


async def test_an_error_of_ours_without_a_kind_is_internal_and_logged_by_request(
    open_world: OpenWorld,
) -> None:
    store = FlakyStore()
    world = await open_world({"store": store})
    store.bug = AigenError(SECRET)
    said = {"email": "ann@example.org", "password": PASSWORD}
    with capture_logs() as logged:
        response = await world.anonymous.post("/auth/login", said)
    problem = assert_problem(response, 500, "internal")
    (failed,) = [entry for entry in logged if entry["event"] == "request_failed"]
    assert failed["request_id"] == problem["request_id"]


# --- outages ----------------------------------------------------------------------------------


async def test_while_the_database_is_away_all_say_so_and_come_back_by_themselves(
    open_world: OpenWorld,
) -> None:
    store = FlakyStore()
    world = await open_world({"store": store})
    ann = await world.ann()
    body = {"model": "m", "prompt": "p"}
    store.is_away = True
    for method, path, said in (
        ("GET", "/users/me", None),
        ("POST", "/auth/login", {"email": ann.email, "password": PASSWORD}),
        ("POST", "/auth/refresh", {"refresh_token": ann.refresh_token}),
        ("POST", "/auth/logout", {"refresh_token": ann.refresh_token}),
        ("POST", "/generate/text", body),
        ("POST", "/generate/image", body),
        ("POST", "/generate/video", body),
        ("GET", f"/generate/video/{UNKNOWN_ID}/events", None),
        ("GET", "/models", None),
    ):
        assert_problem(await ann.ask(method, path, said), 503, "database_unavailable")
    work = await world.worker.post(f"/work/{UNKNOWN_ID}/enlist")
    assert_problem(work, 503, "database_unavailable")
    store.is_away = False
    assert_json(await ann.post("/generate/video", body), 202)


# --- the log ----------------------------------------------------------------------------------


async def test_the_log_names_every_request_and_holds_no_secret(world: World, ann: Person) -> None:
    with capture_logs() as logged:
        login = {"email": ann.email, "password": PASSWORD}
        tokens = assert_json(await world.anonymous.post("/auth/login", login))
        me = await ann.get("/users/me", headers={"X-Request-ID": "an-id-of-mine"})
        body = {"model": "m", "prompt": "a private thought"}
        image = assert_json(await ann.post("/generate/image", body))
        link = image["images"][0]["url"]
        await world.http.get(link)
        await ann.get("/generate/text", params={"q": "a private thought"})
        await world.anonymous.get("/users/me", headers={"Authorization": "Bearer guessed"})
    requests = [entry for entry in logged if entry["event"] == "request"]
    assert [(entry["method"], entry["route"], entry["status"]) for entry in requests] == [
        ("POST", "/auth/login", 200),
        ("GET", "/users/me", 200),
        ("POST", "/generate/image", 200),
        ("GET", "/media/{key:path}", 200),
        ("GET", "/generate/text", 200),
        ("GET", "/users/me", 401),
    ]
    assert requests[1]["request_id"] == me.headers["x-request-id"] == "an-id-of-mine"
    signature = link.rpartition("=")[2]
    for secret in (
        PASSWORD,
        "a private thought",
        "guessed",
        ann.token,
        ann.email,
        tokens["refresh_token"],
        signature,
    ):
        assert secret not in str(logged)


@pytest.fixture
def configured_logs() -> Iterator[None]:
    """Puts the logging back as it was."""
    root = logging.getLogger()
    handlers, level, config = root.handlers, root.level, structlog.get_config()
    yield
    structlog.configure(**config)
    root.handlers, root.level = handlers, level


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_the_traceback_of_a_bug_shows_no_values(configured_logs: None, log_format: str) -> None:
    logs.configure(bare_settings(log_format=log_format))

    def fails(password: str) -> None:
        raise RuntimeError(f"something about {len(password)} characters")

    event: Any = {"event": "request_failed"}
    try:
        fails(PASSWORD)
    except RuntimeError as error:
        event["exc_info"] = error
    for process in structlog.get_config()["processors"]:
        event = process(None, "error", event)
    assert "something about 18 characters" in event
    assert "fails" in event
    assert PASSWORD not in event
