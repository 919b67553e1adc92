"""Watching a job: as it is now, at every change, until it ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from aigen.domain.model.errors import NotFound
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoJob, VideoState, VideoStatus
from aigen.testing import Harness
from tests.services.boards import answer, claimed, finish, in_state, now_of, submitted
from tests.services.workers import ended, running
from tests.services.worlds import started


async def collected(watch: AsyncIterator[VideoJob]) -> list[VideoJob]:
    return [job async for job in watch]


async def test_every_change_of_a_job_is_seen_in_order_and_then_no_more(
    harness: Harness, ann: User
) -> None:
    job = await submitted(harness, ann)
    watching = await started(harness, collected(harness.aigen.videos.watch(ann.id, job.id)))
    claim = await claimed(harness)
    await harness.clock.settle()
    await answer(harness, claim)
    await harness.clock.settle()
    await finish(harness, claim)
    seen = await watching
    assert [found.state for found in seen] == [
        VideoState.QUEUED,
        VideoState.SUBMITTING,
        VideoState.PROCESSING,
        VideoState.COMPLETED,
    ]
    assert seen[-1] == await now_of(harness, job)


@pytest.mark.parametrize("state", [VideoState.COMPLETED, VideoState.FAILED, VideoState.CANCELLED])
async def test_a_finished_job_is_seen_once(harness: Harness, ann: User, state: VideoState) -> None:
    job = await in_state(harness, ann, state)
    assert await collected(harness.aigen.videos.watch(ann.id, job.id)) == [job]


async def test_who_watches_sees_a_cancellation(harness: Harness, ann: User) -> None:
    job = await submitted(harness, ann)
    watching = await started(harness, collected(harness.aigen.videos.watch(ann.id, job.id)))
    await harness.aigen.videos.cancel(ann.id, job.id)
    assert [found.status for found in await watching] == [VideoStatus.QUEUED, VideoStatus.CANCELLED]


async def test_a_watch_ends_when_the_job_has_gone(harness: Harness, ann: User) -> None:
    job = await submitted(harness, ann)
    watching = await started(harness, collected(harness.aigen.videos.watch(ann.id, job.id)))
    await harness.aigen.users.remove(ann.id)
    assert await watching == [job]


async def test_the_jobs_of_others_cannot_be_watched(harness: Harness, ann: User, bob: User) -> None:
    job = await submitted(harness, ann)
    with pytest.raises(NotFound):
        await collected(harness.aigen.videos.watch(bob.id, job.id))


async def test_many_watch_one_job(harness: Harness, ann: User) -> None:
    job = await submitted(harness, ann)
    watches = [
        await started(harness, collected(harness.aigen.videos.watch(ann.id, job.id)))
        for _ in range(10)
    ]
    async with running(harness):
        await ended(harness, job)
    seen = await asyncio.gather(*watches)
    assert {found[-1].status for found in seen} == {VideoStatus.COMPLETED}


async def test_who_waits_gets_the_finished_job(harness: Harness, ann: User) -> None:
    job = await submitted(harness, ann)
    waiting = await started(harness, harness.aigen.videos.wait(job.id))
    async with running(harness):
        await ended(harness, job)
    done = await waiting
    assert done == await now_of(harness, job)
    assert done.status is VideoStatus.COMPLETED
    assert await harness.aigen.videos.wait(job.id) == done


async def test_nobody_waits_for_what_is_not_there(harness: Harness, ann: User) -> None:
    with pytest.raises(NotFound):
        await harness.aigen.videos.wait("nothing")
    job = await submitted(harness, ann)
    waiting = await started(harness, harness.aigen.videos.wait(job.id))
    await harness.aigen.users.remove(ann.id)
    with pytest.raises(NotFound):
        await waiting
