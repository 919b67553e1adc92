"""Jobs that wait for an administrator: unknown submissions, and jobs that a restore has held."""

from typing import Any

import httpx
import pytest
import pytest_asyncio

from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoError, VideoJob, VideoState
from aigen.domain.services.restoration import make_safe
from aigen.testing.samples import a_job, a_user, stored
from tests.api.answers import assert_json, assert_problem
from tests.api.test_videos import JOB, claims
from tests.api.world import ADDRESS, UNKNOWN_ID, Person, World

CONTENT = {"prompt", "image_url", "video_url"}


def unknown_job(user: User, **fields: Any) -> VideoJob:
    """A job of which nobody knows whether the provider has it."""
    defaults: dict[str, Any] = {
        "state": VideoState.FAILED,
        "error_code": VideoError.SUBMISSION_OUTCOME_UNKNOWN,
        "error": "Nobody knows.",
        "may_be_charged": True,
        "nonce": "a-nonce",
    }
    return a_job(user, **defaults | fields)


@pytest_asyncio.fixture(loop_scope="package")
async def job(world: World) -> VideoJob:
    """An unknown one of somebody's."""
    user = a_user()
    job = unknown_job(user, prompt="A private thought")
    await stored(world.aigen.store, user, job)
    return job


async def resolve(admin: Any, job: VideoJob, **how: Any) -> httpx.Response:
    response: httpx.Response = await admin.post(f"/admin/videos/{job.id}/resolve", how)
    return response


async def now(world: World, job: VideoJob) -> VideoJob:
    found = await world.look(lambda records: records.videos.get(job.id))
    assert found is not None
    return found


# --- the list ---------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?status=outcome_unknown"])
async def test_unknown_submissions_are_listed_without_content(
    world: World, root: Person, job: VideoJob, query: str
) -> None:
    await stored(world.aigen.store, user := a_user(), a_job(user))
    response = await root.get(f"/admin/videos{query}")
    assert assert_json(response) == {
        "items": [
            {
                "id": job.id,
                "user_id": job.user_id,
                "model": job.model,
                "status": "failed",
                "error_code": "submission_outcome_unknown",
                "estimate_usd": None,
                "created_at": "2026-01-01T12:00:00Z",
            }
        ],
        "next_cursor": None,
    }
    assert "A private thought" not in response.text
    stats = assert_json(await root.get("/admin/stats"))["videos"]
    assert (stats["failed"], stats["outcome_unknown"]) == (1, 1)


async def test_unknown_submissions_are_listed_in_pages(world: World, root: Person) -> None:
    user = a_user()
    jobs = [unknown_job(user) for _ in range(3)]
    await stored(world.aigen.store, user, *jobs)
    first = assert_json(await root.get("/admin/videos?limit=2"))
    rest = assert_json(await root.get(f"/admin/videos?cursor={first['next_cursor']}"))
    ids = [item["id"] for item in first["items"] + rest["items"]]
    assert ids == [job.id for job in reversed(jobs)]


# --- settling ---------------------------------------------------------------------------------


async def test_an_adopted_job_goes_on_under_the_providers_id(
    world: World, root: Person, job: VideoJob
) -> None:
    async with world.aigen.events.subscribe(job.id) as news:
        adopted = assert_json(await resolve(root, job, provider_job_id="theirs-1"))
        (event,) = await news.next()
    assert adopted.keys() == JOB - CONTENT
    assert (adopted["id"], adopted["status"]) == (job.id, "processing")
    assert (adopted["error"], adopted["error_code"]) == (None, None)
    assert adopted["may_be_charged"] is True
    assert event.ask_provider
    assert (await now(world, job)).provider_job_id == "theirs-1"
    assert assert_json(await root.get("/admin/videos"))["items"] == []


@pytest.mark.parametrize("charged", [True, False])
async def test_a_closed_job_stays_failed_and_says_whether_it_was_charged(
    world: World, root: Person, job: VideoJob, charged: bool
) -> None:
    closed = assert_json(await resolve(root, job, charged=charged))
    assert closed.keys() == JOB - CONTENT
    assert (closed["status"], closed["error_code"]) == ("failed", "submission_settled")
    assert closed["may_be_charged"] is charged
    assert closed["error"]
    assert assert_json(await root.get("/admin/videos"))["items"] == []


async def test_settling_is_noted_with_who_did_it(world: World, root: Person, job: VideoJob) -> None:
    assert_json(await resolve(root, job, provider_job_id="theirs-1"))
    entry = assert_json(await root.get("/admin/audit?limit=1"))["items"][0]
    assert entry["action"] == "submission_resolved"
    assert (entry["actor_id"], entry["target_id"]) == (root.id, job.id)
    assert entry["address"] == ADDRESS
    assert entry["details"] == {"how": "adopted"}


@pytest.mark.parametrize("how", [{"provider_job_id": "theirs-2"}, {"charged": True}])
async def test_only_an_unknown_submission_can_be_settled_and_only_once(
    world: World, root: Person, job: VideoJob, how: dict[str, Any]
) -> None:
    assert_json(await resolve(root, job, **how))
    assert_problem(await resolve(root, job, **how), 409, "not_unknown")
    await stored(world.aigen.store, user := a_user(), queued := a_job(user))
    assert_problem(await resolve(root, queued, **how), 409, "not_unknown")
    assert_problem(await resolve(root, a_job(user), **how), 404, "not_found")


async def test_an_id_that_another_job_has_cannot_be_adopted(
    world: World, root: Person, job: VideoJob
) -> None:
    await stored(world.aigen.store, user := a_user(), other := unknown_job(user))
    assert_json(await resolve(root, job, provider_job_id="theirs-1"))
    response = await resolve(root, other, provider_job_id="theirs-1")
    problem = assert_problem(response, 422, "invalid_request")
    assert problem["errors"][0]["loc"] == ["body", "provider_job_id"]
    assert (await now(world, other)).is_unknown


# --- held jobs --------------------------------------------------------------------------------


async def test_a_held_job_waits_for_its_release(world: World, root: Person, ann: Person) -> None:
    queued = assert_json(await ann.post("/generate/video", {"model": "m", "prompt": "p"}), 202)
    assert await make_safe(world.aigen.store, world.clock, SystemIds()) == 1
    ann, root = await world.login(ann.email), await world.login(root.email)
    held = assert_json(await ann.get(f"/generate/video/{queued['id']}"))
    assert (held["status"], held["error_code"]) == ("queued", "held_after_restore")
    assert held["error"] is None
    listed = assert_json(await root.get("/admin/videos?status=held"))["items"]
    assert [(job["id"], job["error_code"]) for job in listed] == [
        (queued["id"], "held_after_restore")
    ]
    assert await claims(world) == ()

    path = f"/admin/videos/{queued['id']}/resolve"
    released = assert_json(await root.post(path, {"release": True}))
    assert released.keys() == JOB - CONTENT
    assert (released["status"], released["error_code"]) == ("queued", None)
    assert_problem(await root.post(path, {"release": True}), 409, "not_held")
    (claim,) = await claims(world)
    assert claim.video_id == queued["id"]


async def test_a_held_job_can_be_cancelled(world: World, ann: Person) -> None:
    queued = assert_json(await ann.post("/generate/video", {"model": "m", "prompt": "p"}), 202)
    await make_safe(world.aigen.store, world.clock, SystemIds())
    ann = await world.login(ann.email)
    cancelled = assert_json(await ann.post(f"/generate/video/{queued['id']}/cancel"))
    assert (cancelled["status"], cancelled["error_code"]) == ("cancelled", None)
    assert cancelled["may_be_charged"] is False


async def test_what_is_not_held_cannot_be_released(
    world: World, root: Person, job: VideoJob
) -> None:
    assert_problem(await resolve(root, job, release=True), 409, "not_held")
    missing = await root.post(f"/admin/videos/{UNKNOWN_ID}/resolve", {"release": True})
    assert_problem(missing, 404, "not_found")
