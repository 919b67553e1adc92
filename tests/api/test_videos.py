"""Video jobs: submitted, watched, cancelled, retried, removed."""

import asyncio
from typing import Any

import pytest

from aigen.domain.model.videos import VideoError, VideoState
from aigen.ports.jobs import Claim
from aigen.ports.provider import (
    NotSent,
)
from aigen.testing.samples import a_job, new_id, stored
from tests.api.answers import assert_done, assert_id, assert_json, assert_problem, assert_time
from tests.api.conftest import OpenWorld
from tests.api.world import Person, World

JOB = set(
    """id generation_type status model prompt image_url aspect_ratio resolution duration video_url
    error error_code may_be_charged cost_usd retry_of created_at updated_at submitted_at
    finished_at""".split()
)
ASKED = {"model": "some/film", "prompt": "A fox"}


@pytest.fixture
def world(common: World) -> World:
    return common


async def submit(person: Person, **fields: Any) -> dict[str, Any]:
    job: dict[str, Any] = assert_json(await person.post("/generate/video", ASKED | fields), 202)
    return job


async def status_of(person: Person, job: dict[str, Any]) -> dict[str, Any]:
    now: dict[str, Any] = assert_json(await person.get(f"/generate/video/{job['id']}/status"))
    assert now.keys() == JOB
    return now


async def ended(world: World, person: Person, job: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(5):
        await world.aigen.videos.wait(job["id"])
    return await status_of(person, job)


async def claims(world: World) -> tuple[Claim, ...]:
    """What a new worker gets."""
    worker_id = new_id()
    await world.aigen.work.enlist(worker_id, is_inside=False)
    return await world.aigen.work.claim(worker_id, submissions=9)


async def stored_as(world: World, person: Person, state: VideoState, **fields: Any) -> Any:
    """One of the person's jobs, as the API shows it, in this state."""
    user = await world.look(lambda records: records.users.get(person.id))
    assert user is not None
    await stored(world.aigen.store, job := a_job(user, state=state, **fields))
    return await status_of(person, {"id": job.id})


# --- submit -----------------------------------------------------------------------------------


async def test_a_new_job_is_queued(world: World, ann: Person) -> None:
    options = {
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "duration": 8,
        "generate_audio": False,
        "seed": 2**53 - 1,
    }
    job = await submit(ann, **options)
    assert job.keys() == JOB
    assert_id(job["id"])
    assert_time(job["created_at"])
    assert job["updated_at"] == job["created_at"]
    assert {name: job[name] for name in JOB - {"id", "created_at", "updated_at"}} == {
        "generation_type": "text_to_video",
        "status": "queued",
        "model": "some/film",
        "prompt": "A fox",
        "image_url": None,
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "duration": 8,
        "video_url": None,
        "error": None,
        "error_code": None,
        "may_be_charged": False,
        "cost_usd": None,
        "retry_of": None,
        "submitted_at": None,
        "finished_at": None,
    }
    assert await status_of(ann, job) == job
    assert assert_json(await ann.get(f"/generate/video/{job['id']}")) == job


async def test_a_full_disk_does_not_keep_jobs_from_being_queued(open_world: OpenWorld) -> None:
    world = await open_world(min_free_disk=2**60)
    assert (await submit(await world.ann()))["status"] == "queued"
    assert await claims(world) == ()


async def test_a_user_has_so_many_unfinished_jobs_and_no_more(open_world: OpenWorld) -> None:
    world = await open_world(jobs_per_user=3)
    ann, bob = await world.ann(), await world.bob()
    jobs = [await submit(ann) for _ in range(3)]
    response = await ann.post("/generate/video", ASKED)
    assert_problem(response, 429, "too_many_jobs")
    assert response.headers["retry-after"] == "30"
    await submit(bob)
    assert_json(await ann.post(f"/generate/video/{jobs[0]['id']}/cancel"))
    await submit(ann)
    retry = await ann.post(f"/generate/video/{jobs[0]['id']}/retry")
    assert_problem(retry, 429, "too_many_jobs")


# --- cancel -----------------------------------------------------------------------------------


async def test_a_queued_job_is_cancelled_free_of_charge(world: World, ann: Person) -> None:
    job = await submit(ann)
    cancelled = assert_json(await ann.post(f"/generate/video/{job['id']}/cancel"))
    assert cancelled.keys() == JOB
    assert (cancelled["status"], cancelled["error"]) == ("cancelled", None)
    assert cancelled["may_be_charged"] is False
    assert_time(cancelled["finished_at"])
    assert assert_json(await ann.post(f"/generate/video/{job['id']}/cancel")) == cancelled


async def test_a_submission_in_flight_is_cancelled_at_once_and_may_cost(busy: World) -> None:
    ann = await busy.ann()
    busy.provider.gate.clear()
    async with busy.aigen.worker():
        job = await submit(ann)
        async with asyncio.timeout(5):
            await busy.provider.asked.wait()
        assert (await status_of(ann, job))["status"] == "processing"
        cancelled = assert_json(await ann.post(f"/generate/video/{job['id']}/cancel"))
        assert (cancelled["status"], cancelled["may_be_charged"]) == ("cancelled", True)
        busy.provider.gate.set()
    after = await status_of(ann, job)
    assert (after["status"], after["may_be_charged"]) == ("cancelled", True)
    assert_time(after["submitted_at"])  # the late answer was noted
    assert busy.provider.polled == []


async def test_a_cancelled_submission_that_was_surely_not_taken_costs_nothing(busy: World) -> None:
    ann = await busy.ann()
    busy.provider.gate.clear()
    busy.provider.submits.add(NotSent(reason="no connection"))
    async with busy.aigen.worker():
        job = await submit(ann)
        async with asyncio.timeout(5):
            await busy.provider.asked.wait()
        assert_json(await ann.post(f"/generate/video/{job['id']}/cancel"))
        busy.provider.gate.set()
    after = await status_of(ann, job)
    assert (after["status"], after["may_be_charged"]) == ("cancelled", False)


@pytest.mark.parametrize("state", [VideoState.COMPLETED, VideoState.FAILED])
async def test_what_has_ended_cannot_be_cancelled(
    world: World, ann: Person, state: VideoState
) -> None:
    job = await stored_as(world, ann, state)
    response = await ann.post(f"/generate/video/{job['id']}/cancel")
    assert_problem(response, 409, "job_finished")
    assert await status_of(ann, job) == job


# --- retry and removal ------------------------------------------------------------------------


@pytest.mark.parametrize("state", [VideoState.FAILED, VideoState.CANCELLED])
async def test_a_retry_is_a_new_job_that_asks_for_the_same(
    world: World, ann: Person, state: VideoState
) -> None:
    options = {"aspect_ratio": "9:16", "resolution": "1080p", "duration": 5}
    old = await stored_as(world, ann, state, error_code=VideoError.PROVIDER_FAILED, **options)
    new = assert_json(await ann.post(f"/generate/video/{old['id']}/retry"), 202)
    assert new.keys() == JOB
    assert new["id"] != old["id"]
    assert (new["status"], new["retry_of"]) == ("queued", old["id"])
    for name in ("model", "prompt", *options):
        assert new[name] == old[name]
    assert (new["error"], new["error_code"], new["finished_at"]) == (None, None, None)
    assert await status_of(ann, old) == old


@pytest.mark.parametrize(
    "state",
    [VideoState.QUEUED, VideoState.SUBMITTING, VideoState.PROCESSING, VideoState.COMPLETED],
)
async def test_only_failed_and_cancelled_jobs_can_be_retried(
    world: World, ann: Person, state: VideoState
) -> None:
    job = await stored_as(world, ann, state)
    response = await ann.post(f"/generate/video/{job['id']}/retry")
    assert_problem(response, 409, "job_not_retryable")


async def test_an_unfinished_job_must_be_cancelled_before_it_is_removed(
    world: World, ann: Person
) -> None:
    for state in (VideoState.QUEUED, VideoState.SUBMITTING, VideoState.PROCESSING):
        job = await stored_as(world, ann, state)
        assert_problem(await ann.delete(f"/generate/video/{job['id']}"), 409, "job_unfinished")
        assert_json(await ann.post(f"/generate/video/{job['id']}/cancel"))
        assert_done(await ann.delete(f"/generate/video/{job['id']}"))
        assert_problem(await ann.get(f"/generate/video/{job['id']}"), 404, "not_found")
