"""While our key or credit is refused, one job is tried now and then, and none is to blame."""

from datetime import datetime

import pytest

from aigen.adapters.memory.clock import ManualClock
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoStatus
from aigen.ports.provider import (
    Accepted,
    InProgress,
    Misconfigured,
    NotSent,
    Refused,
    SubmitOutcome,
)
from aigen.testing import Harness
from tests.services.boards import leases, now_of, submitted
from tests.services.workers import a_worker, begun, ended, killed, running
from tests.services.worlds import MINUTE, SECOND

NO_CREDIT = Misconfigured(reason="no credit")


class CountingClock(ManualClock):
    """Counts how often it is looked at."""

    looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return super().now()


async def troubles(harness: Harness) -> list[str | None]:
    return [lease.trouble for lease in (await leases(harness)).values()]


async def test_one_job_is_tried_in_each_poll_interval_until_it_heals(
    harness: Harness, ann: User
) -> None:
    jobs = [await submitted(harness, ann, f"{number}") for number in range(10)]
    harness.provider.submits.add(*[NO_CREDIT] * 18)
    async with running(harness):
        assert len(harness.provider.submissions) == 10  # nobody knew yet
        assert await troubles(harness) == ["no credit"]
        for tries in range(8):
            await harness.clock.advance(14)
            assert len(harness.provider.submissions) == 10 + tries
            await harness.clock.advance(1)
            assert len(harness.provider.submissions) == 11 + tries
        for job in jobs:
            after = await now_of(harness, job)
            assert (after.status, after.may_be_charged) == (VideoStatus.QUEUED, False)
        await harness.clock.advance(15)
        assert await troubles(harness) == [None]
        assert len(harness.provider.submissions) == 28  # the one that healed it, and all others
        for job in jobs:
            assert (await ended(harness, job)).status is VideoStatus.COMPLETED


@pytest.mark.parametrize("answer", [Accepted(provider_job_id="p"), Refused(reason="no foxes")])
async def test_an_answer_to_the_request_itself_shows_that_all_is_well(
    harness: Harness, ann: User, answer: SubmitOutcome
) -> None:
    harness.provider.submits.add(NO_CREDIT, answer)
    async with running(harness):
        await submitted(harness, ann)
        await harness.clock.advance(15)
        assert await troubles(harness) == [None]


async def test_a_busy_provider_says_nothing_about_our_credit(harness: Harness, ann: User) -> None:
    harness.provider.submits.add(NO_CREDIT, NotSent(reason="busy"))
    async with running(harness):
        await submitted(harness, ann)
        await harness.clock.advance(15)
        assert len(harness.provider.submissions) == 2
        assert await troubles(harness) == ["no credit"]


async def test_a_new_job_does_not_hurry_a_worker_without_credit(
    harness: Harness, ann: User
) -> None:
    harness.provider.submits.add(*[NO_CREDIT] * 100)
    async with running(harness):
        for _ in range(14):
            await submitted(harness, ann)
            await harness.clock.advance(SECOND)
        assert len(harness.provider.submissions) == 1


async def test_jobs_that_the_provider_has_are_polled_all_the_same(
    harness: Harness, ann: User
) -> None:
    harness.provider.polls.add(*[InProgress()] * 3)
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        harness.provider.submits.add(*[NO_CREDIT] * 100)
        await submitted(harness, ann)
        assert (await ended(harness, job)).status is VideoStatus.COMPLETED
        assert await troubles(harness) == ["no credit"]


async def test_the_trouble_is_told_with_every_renewal_and_ends_with_the_worker(
    harness: Harness, ann: User
) -> None:
    harness.provider.submits.add(*[NO_CREDIT] * 100)
    await submitted(harness, ann)
    async with running(harness):
        await harness.clock.advance(5 * MINUTE)
        assert await troubles(harness) == ["no credit"]
    assert await troubles(harness) == []


async def test_a_worker_without_credit_and_with_its_hands_full_does_not_spin(
    harness: Harness, ann: User
) -> None:
    """All calls are taken by slow polls, and the time to try a job again has come."""
    clock = CountingClock(harness.clock.now())
    harness.provider.polls.add(*[InProgress()] * 100)
    task = await begun(harness, a_worker(harness, clock=clock, concurrency=1))
    await submitted(harness, ann)
    await clock.settle()
    harness.provider.submits.add(*[NO_CREDIT] * 100)
    await submitted(harness, ann)
    await clock.settle()
    harness.provider.gate.clear()
    await clock.advance(MINUTE)
    before = clock.looks
    for _ in range(20):
        await clock.settle()
    assert clock.looks - before < 20
    await killed(task)
