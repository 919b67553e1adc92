"""The stream of a job's changes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from aigen.domain.model.videos import VideoState
from aigen.ports.events import VideoEvent
from tests.api.answers import (
    assert_done,
    assert_json,
    assert_problem,
    assert_problem_shape,
    events_of,
    live_events,
)
from tests.api.conftest import OpenWorld, Serve
from tests.api.outages import FlakyStore
from tests.api.test_videos import JOB, stored_as, submit
from tests.api.world import UNKNOWN_ID, Person, World


@pytest.fixture
def world(common: World) -> World:
    return common


class Watching:
    """Somebody who watches a job."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._events = live_events(response)

    async def next(self) -> dict[str, Any] | None:
        """The job as the next event has it; None at the end of the stream."""
        async with asyncio.timeout(5):
            event = await anext(self._events, None)
        if event is None:
            return None
        assert event.name == "status"
        job: dict[str, Any] = json.loads(event.data)
        assert job.keys() == JOB
        return job

    async def failure(self) -> dict[str, Any]:
        """The problem with which the stream ends."""
        async with asyncio.timeout(5):
            event = await anext(self._events)
        assert event.name == "error"
        problem: dict[str, Any] = json.loads(event.data)
        assert problem["request_id"] == self._response.headers["x-request-id"]
        return problem

    async def until_end(self) -> list[str]:
        """The statuses of the events that are left."""
        statuses = []
        while job := await self.next():
            statuses.append(job["status"])
        return statuses


@asynccontextmanager
async def watching(person: Person, job: dict[str, Any]) -> AsyncIterator[Watching]:
    path = f"/generate/video/{job['id']}/events"
    headers = {"Authorization": f"Bearer {person.token}"}
    async with person.http.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        yield Watching(response)


async def test_a_job_is_shown_at_once_at_every_change_and_no_more_after_its_end(
    busy: World, serve: Serve
) -> None:
    ann = (await busy.ann()).over(await serve(busy))
    busy.provider.gate.clear()
    job = await submit(ann)
    async with watching(ann, job) as watch:
        assert await watch.next() == job
        async with busy.aigen.worker():
            submitting = await watch.next()
            assert submitting is not None
            assert submitting["status"] == "processing"
            busy.provider.gate.set()
            *before, last = await watch.until_end()
    assert set(before) <= {"processing"}
    assert last == "completed"


async def test_all_who_watch_a_job_are_told(busy: World, serve: Serve) -> None:
    ann = (await busy.ann()).over(await serve(busy))
    job = await submit(ann)
    async with watching(ann, job) as first, watching(ann, job) as second:
        assert await first.next() == await second.next() == job
        assert_json(await ann.post(f"/generate/video/{job['id']}/cancel"))
        assert await first.until_end() == await second.until_end() == ["cancelled"]


@pytest.mark.parametrize("state", [VideoState.COMPLETED, VideoState.FAILED, VideoState.CANCELLED])
async def test_of_a_finished_job_there_is_one_event(
    world: World, ann: Person, state: VideoState
) -> None:
    job = await stored_as(world, ann, state)
    (event,) = events_of(await ann.get(f"/generate/video/{job['id']}/events"))
    assert (event.name, json.loads(event.data)) == ("status", job)


async def test_the_stream_ends_when_the_owner_is_removed(busy: World, serve: Serve) -> None:
    root, ann = await busy.root(), (await busy.ann()).over(await serve(busy))
    job = await submit(ann)
    async with watching(ann, job) as watch:
        assert await watch.next() == job
        assert_done(await root.delete(f"/users/{ann.id}"))
        assert await watch.next() is None


@pytest.mark.parametrize(
    ("is_away", "bug", "status", "code"),
    [(True, None, 503, "database_unavailable"), (False, RuntimeError("secret"), 500, "internal")],
)
async def test_a_stream_that_cannot_go_on_says_why(
    open_world: OpenWorld,
    serve: Serve,
    is_away: bool,
    bug: Exception | None,
    status: int,
    code: str,
) -> None:
    store = FlakyStore()
    world = await open_world({"store": store})
    ann = (await world.ann()).over(await serve(world))
    job = await submit(ann)
    async with watching(ann, job) as watch:
        assert await watch.next() == job
        store.is_away, store.bug = is_away, bug
        news = VideoEvent(video_id=job["id"], state=VideoState.QUEUED)
        await world.aigen.events.publish(news)
        problem = await watch.failure()
    assert_problem_shape(problem, status)
    assert problem["code"] == code
    assert "secret" not in str(problem)


async def test_nobody_watches_a_job_of_somebody_else(
    world: World, ann: Person, bob: Person, root: Person
) -> None:
    job = await submit(ann)
    for person in (bob, root):
        response = await person.get(f"/generate/video/{job['id']}/events")
        assert_problem(response, 404, "not_found")
    assert_problem(await ann.get(f"/generate/video/{UNKNOWN_ID}/events"), 404, "not_found")
    anonymous = await world.anonymous.get(f"/generate/video/{job['id']}/events")
    assert_problem(anonymous, 401, "unauthenticated")
