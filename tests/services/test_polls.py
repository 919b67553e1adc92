"""A worker asks how each job is doing, patiently, until it is done, lost or overdue."""

from datetime import timedelta
from decimal import Decimal

import pytest

from aigen.adapters.memory.provider import ScriptedProvider
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoError, VideoJob, VideoStatus
from aigen.ports.provider import (
    Done,
    Ended,
    InProgress,
    Misconfigured,
    Missing,
    PollOutcome,
    Unreachable,
)
from aigen.testing import Harness
from tests.services.boards import submitted
from tests.services.workers import a_worker, ended, running
from tests.services.worlds import MINUTE, SECOND

CENT = Decimal("0.01")
READY = Done(addresses=("film",), cost_usd=CENT)
NO_REPLY = Unreachable(reason="cut off")


class BuggyProvider(ScriptedProvider):
    """Fails now and then while it is asked, in a way that no provider may."""

    async def poll(self, provider_job_id: str, polling_url: str | None) -> PollOutcome:
        self.polled.append(provider_job_id)
        if len(self.polled) < 4:
            raise KeyError("on purpose")
        return READY


async def worked_off(harness: Harness, user: User) -> VideoJob:
    """A new job, when a worker has brought it to its end."""
    async with running(harness):
        return await ended(harness, await submitted(harness, user))


async def test_a_job_is_polled_every_fifteen_seconds_or_so_until_it_is_done(
    harness: Harness, ann: User
) -> None:
    harness.provider.polls.add(*[InProgress()] * 39, READY)
    start = harness.clock.now()
    job = await worked_off(harness, ann)
    assert (job.status, job.cost_usd) == (VideoStatus.COMPLETED, CENT)
    assert harness.provider.polled == ["job-1"] * 40
    took = harness.clock.now() - start
    assert 40 * 12 * SECOND <= took <= 40 * 18 * SECOND + 5 * SECOND


async def test_many_jobs_are_not_polled_in_step(harness: Harness, ann: User) -> None:
    harness.provider.polls.add(*[InProgress()] * 100)
    async with running(harness):
        for _ in range(20):
            await submitted(harness, ann)
        polled = []
        for _ in range(18):
            await harness.clock.advance(SECOND)
            polled.append(len(harness.provider.polled))
    assert polled[10] == 0
    assert polled[-1] == 20
    assert len(set(polled)) > 3


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("failed", VideoError.PROVIDER_FAILED),
        ("cancelled", VideoError.PROVIDER_CANCELLED),
        ("expired", VideoError.PROVIDER_EXPIRED),
    ],
)
async def test_a_job_that_the_provider_gives_up_fails_with_its_reason_and_cost(
    harness: Harness, ann: User, how: str, code: VideoError
) -> None:
    harness.provider.polls.add(Ended(how=how, reason="too many foxes", cost_usd=Decimal(0)))
    job = await worked_off(harness, ann)
    assert (job.status, job.error_code) == (VideoStatus.FAILED, code)
    assert "too many foxes" in (job.error or "")
    assert (job.cost_usd, job.may_be_charged) == (Decimal(0), False)
    assert harness.provider.fetched == []


async def test_a_job_is_lost_when_it_is_missing_three_times_over_two_minutes(
    harness: Harness, ann: User
) -> None:
    harness.provider.polls.add(*[Missing()] * 20)
    start = harness.clock.now()
    job = await worked_off(harness, ann)
    assert (job.error_code, job.may_be_charged) == (VideoError.PROVIDER_LOST, True)
    assert len(harness.provider.polled) >= 3
    assert 2 * MINUTE <= harness.clock.now() - start <= 5 * MINUTE


async def test_a_job_that_is_missing_for_a_moment_is_not_lost(harness: Harness, ann: User) -> None:
    harness.provider.polls.add(Missing(), Missing(), InProgress(), Missing(), Missing())
    assert (await worked_off(harness, ann)).status is VideoStatus.COMPLETED


@pytest.mark.parametrize("trouble", [NO_REPLY, Misconfigured(reason="no credit")])
async def test_a_provider_that_cannot_say_how_it_is_changes_nothing(
    harness: Harness, ann: User, trouble: PollOutcome
) -> None:
    harness.provider.polls.add(*[trouble] * 6)
    job = await worked_off(harness, ann)
    assert job.status is VideoStatus.COMPLETED
    assert len(harness.provider.polled) == 7


async def test_a_poll_that_fails_by_a_bug_is_made_again(harness: Harness, ann: User) -> None:
    provider = BuggyProvider()
    async with running(harness, a_worker(harness, provider=provider)):
        job = await ended(harness, await submitted(harness, ann))
    assert job.status is VideoStatus.COMPLETED
    assert len(provider.polled) == 4


@pytest.mark.parametrize(
    "outcome", [InProgress(), NO_REPLY, Missing(), Misconfigured(reason="no credit")]
)
async def test_no_job_outlives_its_deadline(
    harness: Harness, ann: User, outcome: PollOutcome
) -> None:
    harness.provider.polls.add(*[outcome, InProgress()] * 1000)
    async with running(harness):
        job = await submitted(harness, ann)
        job = await ended(harness, job, step=15 * SECOND)
    assert (job.error_code, job.may_be_charged) == (VideoError.DEADLINE, True)
    assert job.finished_at is not None
    assert timedelta(0) <= job.finished_at - job.deadline_at <= SECOND
