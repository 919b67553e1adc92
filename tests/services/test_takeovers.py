"""A dead worker's jobs go on with another; one that was only asleep starts over or goes on."""

from datetime import timedelta

import pytest

from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoState, VideoStatus
from aigen.ports.provider import InProgress
from aigen.testing import Harness
from tests.services.boards import claims, enlisted, finish, leases, now_of, submitted
from tests.services.workers import a_worker, begun, ended, killed, passed, running, until
from tests.services.worlds import HOUR, MINUTE, SECOND, leap

#: The lease, and one sweep.
TAKEN_OVER_WITHIN = 75 * SECOND


@pytest.mark.parametrize("lived", [1, 19, 20, 21, 59, 600])
async def test_a_dead_workers_jobs_are_taken_over_within_a_lease_and_a_sweep(
    harness: Harness, ann: User, lived: int
) -> None:
    harness.provider.polls.add(*[InProgress()] * 1000)
    doomed = await begun(harness)
    jobs = [await submitted(harness, ann) for _ in range(3)]
    await harness.clock.advance(lived)
    (dead_id,) = await leases(harness)
    async with running(harness):
        await killed(doomed)

        async def is_taken_over() -> bool:
            holders = {(await now_of(harness, job)).worker_id for job in jobs}
            return dead_id not in holders and None not in holders

        took = await until(harness, is_taken_over, step=SECOND)
        assert took <= TAKEN_OVER_WITHIN
    assert len(harness.provider.submissions) == 3


async def test_a_job_goes_on_where_the_dead_worker_left_it(harness: Harness, ann: User) -> None:
    harness.provider.polls.add(*[InProgress()] * 10)
    doomed = await begun(harness)
    job = await submitted(harness, ann)
    await passed(harness, lambda: len(harness.provider.polled) == 2)
    await killed(doomed)
    async with running(harness):
        job = await ended(harness, job)
    assert job.status is VideoStatus.COMPLETED
    assert set(harness.provider.polled) == {"job-1"}
    assert len(harness.provider.submissions) == 1


async def test_a_worker_that_lives_keeps_its_jobs(harness: Harness, ann: User) -> None:
    harness.provider.polls.add(*[InProgress()] * 1000)
    async with running(harness):
        (worker_id,) = await leases(harness)
        job = await submitted(harness, ann)
        await harness.clock.settle()
        async with running(harness):
            await harness.clock.advance(30 * MINUTE)
            assert (await now_of(harness, job)).worker_id == worker_id


async def test_a_worker_whose_jobs_were_taken_forgets_them_and_starts_over(
    harness: Harness, ann: User
) -> None:
    harness.provider.polls.add(InProgress())
    async with running(harness):
        (old_id,) = await leases(harness)
        await submitted(harness, ann)
        await passed(harness, lambda: len(harness.provider.polled) == 1)
        harness.clock.set(harness.clock.now() + HOUR)  # it sleeps, and another one does not
        other_id = await enlisted(harness)
        (claim,) = await claims(harness, other_id, 0)
        await harness.clock.settle()
        assert len(set(await leases(harness)) - {old_id, other_id}) == 1
        await harness.clock.advance(50)
        assert len(harness.provider.polled) == 1
        assert await finish(harness, claim)
        done = await ended(harness, await submitted(harness, ann))
        assert done.status is VideoStatus.COMPLETED
        assert harness.provider.polled == ["job-1", "job-2"]


@pytest.mark.parametrize("sleep", [MINUTE, HOUR])
async def test_a_worker_that_was_asleep_alone_goes_on_with_its_jobs(
    harness: Harness, ann: User, sleep: timedelta
) -> None:
    """A suspended laptop: no other worker took anything meanwhile."""
    harness.provider.polls.add(*[InProgress()] * 3)
    async with running(harness):
        jobs = [await submitted(harness, ann) for _ in range(3)]
        await passed(harness, lambda: len(harness.provider.polled) >= 1)
        await leap(harness, sleep)
        jobs.append(await submitted(harness, ann))
        for job in jobs:
            done = await ended(harness, job, within=10 * MINUTE)
            assert done.status is VideoStatus.COMPLETED
    assert len(harness.provider.submissions) == 4


async def test_an_answer_that_comes_after_the_lease_was_lost_still_lands(
    harness: Harness, ann: User
) -> None:
    harness.provider.gate.clear()
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        harness.clock.set(harness.clock.now() + HOUR)
        await claims(harness, await enlisted(harness), 0)
        assert (await now_of(harness, job)).is_unknown
        await harness.clock.settle()
        harness.provider.gate.set()
        job = await ended(harness, job, within=10 * MINUTE)
        job = await ended(harness, job)
        await until(harness, lambda: is_completed(harness, job.id), within=10 * MINUTE)
    assert len(harness.provider.submissions) == 1


async def is_completed(harness: Harness, video_id: str) -> bool:
    job = await harness.store.read(lambda records: records.videos.get(video_id))
    return job is not None and job.state is VideoState.COMPLETED


async def test_a_clock_that_is_set_back_harms_nothing(harness: Harness, ann: User) -> None:
    harness.provider.polls.add(*[InProgress()] * 4)
    async with running(harness):
        job = await submitted(harness, ann)
        await passed(harness, lambda: len(harness.provider.polled) == 2)
        harness.clock.set(harness.clock.now() - HOUR)
        later = await submitted(harness, ann)
        for each in (job, later):
            done = await ended(harness, each, within=2 * HOUR, step=15 * SECOND)
            assert done.status is VideoStatus.COMPLETED
    assert len(harness.provider.submissions) == 2


async def test_workers_that_come_and_go_lose_no_job(harness: Harness, ann: User) -> None:
    harness.provider.polls.add(*[InProgress()] * 60)
    jobs = [await submitted(harness, ann, f"{number}") for number in range(10)]
    for _ in range(5):
        async with running(harness, a_worker(harness, concurrency=3)):
            await harness.clock.advance(40)
    async with running(harness):
        for job in jobs:
            assert (await ended(harness, job)).status is VideoStatus.COMPLETED
    assert len(harness.provider.submissions) == 10
