"""The provider's signed webhook: news of a job, from whoever knows its nonce."""

import asyncio
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest
import pytest_asyncio

from aigen.adapters.system_clock import SystemClock
from aigen.domain.model.videos import VideoState
from aigen.ports.jobs import Claim
from aigen.ports.provider import Accepted, Refused, Unknown
from tests.api.answers import assert_done, assert_json, assert_problem
from tests.api.conftest import OpenWorld
from tests.api.test_videos import claims, ended, status_of, submit
from tests.api.world import CALLBACK_SECRET, COMMON, UNKNOWN_ID, Person, World

SECRET, PUBLIC = CALLBACK_SECRET, "https://api.example.org"


@pytest.fixture
def world(common: World) -> World:
    return common


def event(provider_job_id: Any = "job-1", kind: Any = "video.generation.completed") -> bytes:
    return json.dumps({"type": kind, "data": {"id": provider_job_id, "status": "x"}}).encode()


def signed(body: bytes, at: float, secret: str = SECRET) -> str:
    """`X-OpenRouter-Signature` as the provider makes it: a comma between time and body."""
    digest = hmac.new(secret.encode(), f"{int(at)},".encode() + body, hashlib.sha256).hexdigest()
    return f"t={int(at)},v1={digest}"


async def call(
    world: World, nonce: str, body: bytes | None = None, signature: str | None = None
) -> httpx.Response:
    body = event() if body is None else body
    if signature is None:
        signature = signed(body, world.aigen.clock.now().timestamp())
    headers = {b"X-OpenRouter-Signature": signature.encode("latin-1")}
    return await world.http.post(f"/provider/callback/{nonce}", content=body, headers=headers)


def nonce_of(claim: Claim) -> str:
    assert claim.callback_url is not None
    assert claim.callback_url.startswith("https://api.example.org/provider/callback/")
    return claim.callback_url.rpartition("/")[2]


async def submitted(world: World, ann: Person) -> Claim:
    """A job that is being handed to the provider."""
    await submit(ann)
    (claim,) = await claims(world)
    return claim


# --- who is heard -----------------------------------------------------------------------------


async def test_a_signed_callback_is_taken_also_twice_and_also_after_the_end(
    world: World, ann: Person
) -> None:
    claim = await submitted(world, ann)
    nonce = nonce_of(claim)
    assert_done(await call(world, nonce))
    job = await status_of(ann, {"id": claim.video_id})
    assert (job["status"], job["submitted_at"]) == ("processing", job["created_at"])
    assert_done(await call(world, nonce))
    cancelled = assert_json(await ann.post(f"/generate/video/{claim.video_id}/cancel"))
    assert_done(await call(world, nonce))
    assert await status_of(ann, {"id": claim.video_id}) == cancelled


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"callback_secret": SECRET},
        {"callback_secret": SECRET, "public_url": "http://api.example.org"},
        {"public_url": "https://api.example.org"},
    ],
)
async def test_callbacks_are_off_without_a_secret_and_a_public_https_address(
    open_world: OpenWorld, settings: dict[str, Any]
) -> None:
    world = await open_world(**settings)
    claim = await submitted(world, await world.ann())
    assert claim.callback_url is None
    response = await call(world, f"{claim.video_id}.{claim.nonce}")
    assert_problem(response, 404, "not_found")


async def test_an_unknown_nonce_is_not_found_whatever_the_signature(
    world: World, ann: Person
) -> None:
    claim = await submitted(world, ann)
    for nonce in (
        claim.video_id,
        f"{claim.video_id}.",
        f"{claim.video_id}.guess",
        f"{UNKNOWN_ID}.{claim.nonce}",
        f".{claim.nonce}",
        claim.nonce or "",
        "x",
        "%00.%00",
        "x" * 5000,
    ):
        assert_problem(await call(world, nonce), 404, "not_found")
        assert_problem(await call(world, nonce, signature="x"), 404, "not_found")


async def test_an_id_that_is_not_the_jobs_is_not_found(world: World, ann: Person) -> None:
    claim = await submitted(world, ann)
    assert_done(await call(world, nonce_of(claim), event("job-1")))
    assert_problem(await call(world, nonce_of(claim), event("job-2")), 404, "not_found")


async def test_after_a_refusal_the_nonce_is_forgotten(world: World, ann: Person) -> None:
    claim = await submitted(world, ann)
    await world.aigen.work.record(claim.video_id, claim.nonce or "", Refused(reason="no"))
    assert_problem(await call(world, nonce_of(claim)), 404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        event(None),
        event(7),
        event(""),
        event("x" * 1000),
        event("job\u0000"),
        event(kind=None),
        event(kind="chat.completed"),
        b'{"type": "video.generation.completed"}',
        b'{"type": "video.generation.completed", "data": NaN}',
    ],
    ids=lambda body: repr(body[:60]),
)
async def test_what_is_no_callback_about_a_job_is_not_found(
    world: World, ann: Person, body: bytes
) -> None:
    claim = await submitted(world, ann)
    assert_problem(await call(world, nonce_of(claim), body), 404, "not_found")


async def test_a_bad_or_stale_signature_is_refused_and_changes_nothing(
    world: World, ann: Person
) -> None:
    claim = await submitted(world, ann)
    nonce, body, now = nonce_of(claim), event(), world.clock.now().timestamp()
    good = signed(body, now)
    for signature in (
        "",
        "x",
        good[:-1],
        good.replace("v1=", "v0="),
        good.partition(",")[2],
        signed(body, now, "another secret"),
        signed(body, now, ""),
        signed(event("job-2"), now),
        signed(body, now - 301),
        signed(body, now + 301),
        good.replace("t=", "t=0"),
        f"t={int(now)},{good}",
        "t=soon,v1=x",
        "v1=ü,t=1",
        good + "," * 5000,
    ):
        assert_problem(await call(world, nonce, body, signature), 401, "bad_signature")
    unsigned = await world.http.post(f"/provider/callback/{nonce}", content=body)
    assert_problem(unsigned, 401, "bad_signature")
    job = await status_of(ann, {"id": claim.video_id})
    assert job["submitted_at"] is None


async def test_a_signature_is_good_for_five_minutes_and_among_others(
    world: World, ann: Person
) -> None:
    claim = await submitted(world, ann)
    body, now = event(), world.clock.now().timestamp()
    for signature in (
        signed(body, now - 300),
        signed(body, now + 300),
        signed(body, now) + ",v1=" + "0" * 64 + ",v2=x",
    ):
        assert_done(await call(world, nonce_of(claim), body, signature))


# --- what it does -----------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="package")
async def patient(open_world: OpenWorld) -> World:
    """An installation whose workers, left alone, would look again in an hour."""
    adapters = {"clock": SystemClock()}
    return await open_world(adapters, poll_interval=3600, worker_interval=3600, **COMMON)


async def test_a_processing_job_is_polled_at_once(patient: World) -> None:
    ann = await patient.ann()
    job = await submit(ann)
    async with (
        asyncio.timeout(5),
        patient.aigen.events.subscribe(job["id"]) as news,
        patient.aigen.worker(),
    ):
        while (await news.next())[-1].state is not VideoState.PROCESSING:
            pass
        assert patient.provider.polled == []
        (submission,) = patient.provider.submissions
        assert submission.callback_url is not None
        nonce = submission.callback_url.rpartition("/")[2]
        assert_done(await call(patient, nonce, event("job-1")))
        assert (await ended(patient, ann, job))["status"] == "completed"
    assert patient.provider.polled == ["job-1"]


async def test_an_unknown_submission_comes_back_to_processing(patient: World) -> None:
    ann = await patient.ann()
    job = await submit(ann)
    patient.provider.submits.add(Unknown(reason="reset"))
    async with patient.aigen.worker():
        failed = await ended(patient, ann, job)
        assert failed["error_code"] == "submission_outcome_unknown"
        (submission,) = patient.provider.submissions
        assert submission.callback_url is not None
        nonce = submission.callback_url.rpartition("/")[2]
        assert_done(await call(patient, nonce, event("theirs-1")))
        done = await ended(patient, ann, job)
    assert (done["status"], done["error"], done["error_code"]) == ("completed", None, None)
    assert patient.provider.polled == ["theirs-1"]
    assert len(patient.provider.submissions) == 1


async def test_a_cancelled_job_stays_cancelled_and_may_cost(world: World, ann: Person) -> None:
    claim = await submitted(world, ann)
    assert_json(await ann.post(f"/generate/video/{claim.video_id}/cancel"))
    assert_done(await call(world, nonce_of(claim)))
    job = await status_of(ann, {"id": claim.video_id})
    assert (job["status"], job["may_be_charged"]) == ("cancelled", True)


async def test_a_late_answer_that_says_the_same_changes_nothing(world: World, ann: Person) -> None:
    claim = await submitted(world, ann)
    assert_done(await call(world, nonce_of(claim)))
    before = await status_of(ann, {"id": claim.video_id})
    accepted = Accepted(provider_job_id="job-1")
    assert await world.aigen.work.record(claim.video_id, claim.nonce or "", accepted)
    assert await status_of(ann, {"id": claim.video_id}) == before
