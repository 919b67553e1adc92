"""A worker hands each job to the provider once, and knows what to do with every answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aigen.adapters.memory.provider import ScriptedProvider
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.errors import DatabaseUnavailable
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoError, VideoState, VideoStatus
from aigen.domain.services.work import Work, WorkPolicy
from aigen.ports.jobs import Claim
from aigen.ports.provider import NotSent, Refused, SubmitOutcome, Unknown, VideoSubmission
from aigen.testing import MP4, Harness, bare_settings
from tests.services.boards import leases, now_of, submitted
from tests.services.bounds import opened
from tests.services.workers import a_worker, begun, ended, killed, passed, running
from tests.services.worlds import HOUR, MINUTE, SECOND, video_request


@pytest.fixture
async def roomy() -> AsyncIterator[Harness]:
    """An installation where a user may have many jobs."""
    async with opened(bare_settings(jobs_per_user=1000)) as harness:
        yield harness


class BuggyProvider(ScriptedProvider):
    """Fails while sending, in a way that no provider may."""

    async def submit(self, submission: VideoSubmission) -> SubmitOutcome:
        self.submissions.append(submission)
        raise KeyError("on purpose")


class LateBoard(Work):
    """Hides that the first answer was recorded; told once more, it takes until its gate is set."""

    def __init__(self, harness: Harness) -> None:
        events, media = harness.aigen.events, harness.media
        super().__init__(harness.store, media, events, harness.clock, SystemIds(), WorkPolicy())
        self.gate = asyncio.Event()
        self._times = 0

    async def record(self, video_id: str, nonce: str, outcome: SubmitOutcome) -> Claim | None:
        self._times += 1
        is_first = self._times == 1
        if self._times == 2:
            await self.gate.wait()
        claim = await super().record(video_id, nonce, outcome)
        if is_first:
            raise DatabaseUnavailable
        return claim


# --- one job ----------------------------------------------------------------------------------


async def test_a_new_job_wakes_the_worker_and_ends_with_a_film(harness: Harness, ann: User) -> None:
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        assert len(harness.provider.submissions) == 1  # at once, not at the next sweep
        assert (await now_of(harness, job)).status is VideoStatus.PROCESSING
        job = await ended(harness, job)
    assert (job.status, job.provider_job_id) == (VideoStatus.COMPLETED, "job-1")
    assert job.media is not None
    assert harness.media.files == {job.media.key: MP4}
    assert job.media.key.startswith(f"{ann.id}/{job.id}/")
    assert str(job.cost_usd) == "0.25"
    assert len(harness.provider.submissions) == 1


async def test_a_job_that_waited_before_the_worker_came_is_done_too(
    harness: Harness, ann: User
) -> None:
    job = await submitted(harness, ann)
    async with running(harness):
        job = await ended(harness, job)
    assert job.status is VideoStatus.COMPLETED


async def test_the_provider_is_told_all_that_was_asked(harness: Harness, ann: User) -> None:
    options: dict[str, Any] = {
        "aspect_ratio": "16:9",
        "resolution": "1080p",
        "duration": 8,
        "generate_audio": False,
        "seed": 7,
    }
    job = await harness.aigen.videos.submit(ann.id, video_request("A fox runs", **options))
    async with running(harness):
        await harness.clock.settle()
    (sent,) = harness.provider.submissions
    assert sent == VideoSubmission(model=job.model, prompt="A fox runs", **options)


async def test_a_job_that_the_provider_refuses_is_sent_once(harness: Harness, ann: User) -> None:
    harness.provider.submits.add(Refused(reason="no foxes"))
    async with running(harness):
        job = await ended(harness, await submitted(harness, ann))
        await harness.clock.advance(10 * MINUTE)
    assert (job.error_code, job.error) == (VideoError.PROVIDER_REFUSED, "no foxes")
    assert len(harness.provider.submissions) == 1
    assert harness.provider.polled == []


async def test_a_job_of_unknown_outcome_is_never_sent_again(harness: Harness, ann: User) -> None:
    harness.provider.submits.add(Unknown(reason="cut off"))
    async with running(harness):
        job = await ended(harness, await submitted(harness, ann))
        await harness.clock.advance(3 * HOUR)
    assert job.is_unknown
    assert job.may_be_charged
    assert await now_of(harness, job) == job
    assert len(harness.provider.submissions) == 1


async def test_a_worker_that_fails_while_sending_does_not_send_again(
    harness: Harness, ann: User
) -> None:
    provider = BuggyProvider()
    async with running(harness, a_worker(harness, provider=provider)):
        job = await ended(harness, await submitted(harness, ann))
        await harness.clock.advance(10 * MINUTE)
    assert job.is_unknown
    assert len(provider.submissions) == 1


async def test_a_job_that_was_not_taken_is_sent_again_when_the_provider_wants(
    harness: Harness, ann: User
) -> None:
    harness.provider.submits.add(NotSent(reason="busy", retry_after=40 * SECOND))
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.advance(39)
        assert len(harness.provider.submissions) == 1
        assert (await now_of(harness, job)).state is VideoState.QUEUED
        took = await passed(harness, lambda: len(harness.provider.submissions) == 2)
        assert took <= 25 * SECOND  # jitter, and at most one sweep
        job = await ended(harness, job)
    assert (job.status, job.attempts) == (VideoStatus.COMPLETED, 2)


async def test_a_job_that_is_never_taken_ends_at_its_deadline_and_costs_nothing(
    harness: Harness, ann: User
) -> None:
    harness.provider.submits.add(*[NotSent(reason="busy")] * 1000)
    async with running(harness):
        job = await submitted(harness, ann)
        start = harness.clock.now()
        job = await ended(harness, job, step=15 * SECOND)
    assert (job.error_code, job.may_be_charged) == (VideoError.QUEUE_TIMEOUT, False)
    assert harness.clock.now() - start <= 2 * HOUR + 30 * SECOND
    assert 20 <= len(harness.provider.submissions) <= 60  # it backed off


async def test_the_late_end_of_one_attempt_does_not_repeat_the_next(
    harness: Harness, ann: User
) -> None:
    """The first was not taken and the job is in the queue again, but its worker has not heard so
    when it sends it for the second time."""
    harness.provider.submits.add(NotSent(reason="busy"))
    board = LateBoard(harness)
    async with running(harness, a_worker(harness, board=board)):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        harness.provider.gate.clear()
        await passed(harness, lambda: len(harness.provider.submissions) == 2)
        board.gate.set()
        await harness.clock.advance(MINUTE)
        assert len(harness.provider.submissions) == 2
        harness.provider.gate.set()
        assert (await ended(harness, job)).status is VideoStatus.COMPLETED
    assert len(harness.provider.submissions) == 2


# --- many jobs --------------------------------------------------------------------------------


async def test_many_jobs_of_many_users_are_each_sent_once(roomy: Harness) -> None:
    users = [await roomy.user(f"user-{number}@example.org") for number in range(5)]
    jobs = [await submitted(roomy, user, f"{user.email} {n}") for user in users for n in range(40)]
    async with running(roomy):
        for job in jobs:
            assert (await ended(roomy, job)).status is VideoStatus.COMPLETED
    sent = [submission.prompt for submission in roomy.provider.submissions]
    assert sorted(sent) == sorted(job.prompt for job in jobs)
    assert len(set(roomy.provider.polled)) == 200


async def test_one_users_many_jobs_do_not_keep_anothers_waiting(roomy: Harness) -> None:
    ann, bob = await roomy.user(), await roomy.user("bob@example.org")
    for _ in range(100):
        await submitted(roomy, ann, "many")
    roomy.provider.gate.clear()
    async with running(roomy, a_worker(roomy, concurrency=4)):
        await submitted(roomy, bob, "few")
        roomy.provider.gate.set()
        await passed(roomy, lambda: len(roomy.provider.submissions) >= 20)
    sent = [submission.prompt for submission in roomy.provider.submissions]
    assert sent.index("few") < 12


async def test_no_more_calls_are_made_at_a_time_than_allowed(roomy: Harness) -> None:
    ann = await roomy.user()
    jobs = [await submitted(roomy, ann) for _ in range(10)]
    roomy.provider.gate.clear()
    async with running(roomy, a_worker(roomy, concurrency=3)):
        await roomy.clock.advance(MINUTE)
        assert len(roomy.provider.submissions) == 3
        roomy.provider.gate.set()
        for job in jobs:
            assert (await ended(roomy, job)).status is VideoStatus.COMPLETED


async def test_two_workers_share_the_work_and_send_nothing_twice(roomy: Harness) -> None:
    ann = await roomy.user()
    async with running(roomy), running(roomy):
        jobs = [await submitted(roomy, ann, f"{number}") for number in range(50)]
        for job in jobs:
            assert (await ended(roomy, job)).status is VideoStatus.COMPLETED
    assert len({submission.prompt for submission in roomy.provider.submissions}) == 50
    assert len(roomy.provider.submissions) == 50


# --- owners who change their minds ------------------------------------------------------------


async def test_a_job_cancelled_in_the_queue_is_never_sent(harness: Harness, ann: User) -> None:
    job = await submitted(harness, ann)
    await harness.aigen.videos.cancel(ann.id, job.id)
    async with running(harness):
        await harness.clock.advance(MINUTE)
    assert harness.provider.submissions == []


async def test_a_job_cancelled_in_flight_is_not_polled(harness: Harness, ann: User) -> None:
    harness.provider.gate.clear()
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        await harness.aigen.videos.cancel(ann.id, job.id)
        harness.provider.gate.set()
        await harness.clock.advance(10 * MINUTE)
    after = await now_of(harness, job)
    assert (after.status, after.provider_job_id) == (VideoStatus.CANCELLED, "job-1")
    assert harness.provider.polled == []
    assert harness.media.files == {}


async def test_a_user_who_goes_in_the_middle_leaves_nothing_to_do(
    harness: Harness, ann: User, bob: User
) -> None:
    harness.provider.gate.clear()
    async with running(harness):
        await submitted(harness, ann)
        await harness.clock.settle()
        await harness.aigen.users.remove(ann.id)
        harness.provider.gate.set()
        await harness.clock.advance(10 * MINUTE)
        job = await ended(harness, await submitted(harness, bob))
    assert job.status is VideoStatus.COMPLETED
    assert harness.provider.polled == [job.provider_job_id]


# --- the end of a worker ----------------------------------------------------------------------


async def test_a_stopped_worker_hears_out_what_it_is_sending_and_lets_go_of_the_rest(
    harness: Harness, ann: User
) -> None:
    harness.provider.gate.clear()
    worker = a_worker(harness)
    task = await begun(harness, worker)
    job = await submitted(harness, ann)
    await harness.clock.settle()
    worker.stop()
    later = await submitted(harness, ann)
    await harness.clock.advance(5 * MINUTE)
    assert not task.done()  # and it keeps its lease meanwhile
    assert (await now_of(harness, job)).state is VideoState.SUBMITTING
    harness.provider.gate.set()
    await passed(harness, task.done)
    after = await now_of(harness, job)
    assert (after.state, after.worker_id) == (VideoState.PROCESSING, None)
    assert (await now_of(harness, later)).state is VideoState.QUEUED
    assert await leases(harness) == {}
    async with running(harness):
        for each in (job, later):
            assert (await ended(harness, each)).status is VideoStatus.COMPLETED
    assert len(harness.provider.submissions) == 2


async def test_an_idle_worker_stops_at_once(harness: Harness) -> None:
    worker = a_worker(harness)
    task = await begun(harness, worker)
    worker.stop()
    await harness.clock.settle()
    assert task.done()
    assert await leases(harness) == {}


async def test_a_worker_killed_while_sending_leaves_a_job_that_is_never_sent_again(
    harness: Harness, ann: User
) -> None:
    harness.provider.gate.clear()
    task = await begun(harness)
    job = await submitted(harness, ann)
    await harness.clock.settle()
    await killed(task)
    harness.provider.gate.set()
    async with running(harness):
        job = await ended(harness, job)
        await harness.clock.advance(10 * MINUTE)
    assert job.is_unknown
    assert len(harness.provider.submissions) == 1
