"""While the database is away, a worker keeps what it has heard, and comes back by itself."""

from datetime import timedelta

import pytest

from aigen.adapters.memory.journal import MemoryJournal
from aigen.domain.model.errors import (
    AigenError,
    Busy,
    DatabaseUnavailable,
    Forbidden,
    StorageFull,
)
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoJob, VideoState, VideoStatus
from aigen.ports.jobs import Answer
from aigen.ports.provider import Accepted, InProgress, Misconfigured, NotSent, Refused, Unknown
from aigen.testing import MP4, Harness
from tests.services.boards import now_of, submitted
from tests.services.workers import a_worker, begun, ended, killed, passed, running
from tests.services.worlds import HOUR, MINUTE, SECOND, TroubledStore

#: Whatever keeps a change from being made now, it may be made later.
TROUBLES = [DatabaseUnavailable(), Busy(), StorageFull()]


class BrokenJournal(MemoryJournal):
    """A journal on a disk that is full."""

    async def keep(self, answer: Answer) -> None:
        raise OSError("no space left on device")


class StickyJournal(MemoryJournal):
    """A journal whose disk is full when something is to be taken out again."""

    async def discard(self, answer: Answer) -> None:
        raise OSError("no space left on device")


class UnreadableJournal(MemoryJournal):
    """A journal on a disk that is damaged."""

    async def kept(self) -> tuple[Answer, ...]:
        raise OSError("input/output error")


async def in_flight(harness: Harness, user: User) -> VideoJob:
    """A job that the running worker is just handing to the provider."""
    harness.provider.gate.clear()
    job = await submitted(harness, user)
    await harness.clock.settle()
    assert (await now_of(harness, job)).state is VideoState.SUBMITTING
    return job


# --- an acceptance ----------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_an_acceptance_is_kept_in_the_journal_until_it_can_be_recorded(
    harness: Harness, store: TroubledStore, ann: User, trouble: AigenError
) -> None:
    async with running(harness):
        job = await in_flight(harness, ann)
        store.trouble = trouble
        harness.provider.gate.set()
        await harness.clock.advance(10)
        (kept,) = await harness.journal.kept()
        assert (kept.video_id, kept.provider_job_id) == (job.id, "job-1")
        store.recover()
        await harness.clock.advance(2)
        assert (await now_of(harness, job)).state is VideoState.PROCESSING
        assert await harness.journal.kept() == ()
        assert (await ended(harness, job)).status is VideoStatus.COMPLETED
    assert len(harness.provider.submissions) == 1


async def test_an_acceptance_survives_the_death_of_its_worker(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    doomed = await begun(harness)
    job = await in_flight(harness, ann)
    store.trouble = DatabaseUnavailable()
    harness.provider.gate.set()
    await harness.clock.advance(10)
    await killed(doomed)
    store.recover()
    async with running(harness):
        await passed(harness, lambda: bool(harness.provider.polled), within=5 * MINUTE)
        assert (await ended(harness, job)).status is VideoStatus.COMPLETED
    assert await harness.journal.kept() == ()
    assert len(harness.provider.submissions) == 1


async def test_a_journal_is_replayed_also_when_the_job_was_given_up_long_ago(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    doomed = await begun(harness)
    job = await in_flight(harness, ann)
    store.trouble = DatabaseUnavailable()
    harness.provider.gate.set()
    await harness.clock.advance(10)
    await killed(doomed)
    store.recover()
    async with running(harness, a_worker(harness, journal=MemoryJournal())):  # elsewhere
        assert (await ended(harness, job)).is_unknown
    async with running(harness):
        await passed(harness, lambda: bool(harness.provider.polled), within=5 * MINUTE)
    assert (await now_of(harness, job)).status is VideoStatus.COMPLETED
    assert len(harness.provider.submissions) == 1


async def test_without_a_journal_an_acceptance_is_remembered_all_the_same(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    async with running(harness, a_worker(harness, journal=BrokenJournal())):
        job = await in_flight(harness, ann)
        store.trouble = DatabaseUnavailable()
        harness.provider.gate.set()
        await harness.clock.advance(30)
        store.recover()
        assert (await ended(harness, job)).status is VideoStatus.COMPLETED


async def test_an_acceptance_that_stays_in_the_journal_stops_nothing(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    async with running(harness, a_worker(harness, journal=StickyJournal())):
        job = await in_flight(harness, ann)
        store.trouble = DatabaseUnavailable()
        harness.provider.gate.set()
        await harness.clock.advance(30)
        store.recover()
        assert (await ended(harness, job)).status is VideoStatus.COMPLETED
    assert len(harness.provider.submissions) == 1


@pytest.mark.parametrize("trouble", [Forbidden(), KeyError("on purpose")])
async def test_a_worker_that_may_not_record_an_acceptance_leaves_it_in_the_journal(
    harness: Harness, store: TroubledStore, ann: User, trouble: Exception
) -> None:
    """The house has a new worker token, say; or a bug."""
    async with running(harness):
        job = await in_flight(harness, ann)
        store.trouble = trouble
        harness.provider.gate.set()
        await harness.clock.settle()
        store.recover()
        assert len(await harness.journal.kept()) == 1
    async with running(harness):
        assert (await ended(harness, job)).status is VideoStatus.COMPLETED
    assert await harness.journal.kept() == ()
    assert len(harness.provider.submissions) == 1


async def test_a_journal_that_cannot_be_read_keeps_nobody_from_working(
    harness: Harness, ann: User
) -> None:
    job = await submitted(harness, ann)
    async with running(harness, a_worker(harness, journal=UnreadableJournal())):
        assert (await ended(harness, job)).status is VideoStatus.COMPLETED


async def test_an_acceptance_that_was_recorded_unnoticed_is_recorded_once(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    async with running(harness):
        job = await in_flight(harness, ann)
        store.hides = True
        harness.provider.gate.set()
        await harness.clock.advance(5)
        store.recover()
        assert (await ended(harness, job)).status is VideoStatus.COMPLETED
    assert await harness.journal.kept() == ()
    assert len(harness.provider.submissions) == 1


# --- any other answer -------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Refused(reason="no foxes"), VideoState.FAILED),
        (Unknown(reason="cut off"), VideoState.FAILED),
        (NotSent(reason="busy", retry_after=HOUR), VideoState.QUEUED),
        (Misconfigured(reason="no credit"), VideoState.QUEUED),
    ],
)
async def test_every_other_answer_waits_for_the_database(
    harness: Harness,
    store: TroubledStore,
    ann: User,
    outcome: Refused | Unknown | NotSent | Misconfigured,
    state: VideoState,
    trouble: AigenError,
) -> None:
    harness.provider.submits.add(outcome)
    async with running(harness):
        job = await in_flight(harness, ann)
        store.trouble = trouble
        harness.provider.gate.set()
        await harness.clock.advance(10)
        store.recover()
        await harness.clock.advance(1)
        assert (await now_of(harness, job)).state is state
    assert await harness.journal.kept() == ()


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_film_waits_for_the_database(
    harness: Harness, store: TroubledStore, ann: User, trouble: AigenError
) -> None:
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        store.trouble = trouble
        await passed(harness, lambda: bool(harness.media.files))
        await harness.clock.advance(30)
        store.recover()
        job = await ended(harness, job, within=5 * MINUTE)
    assert job.status is VideoStatus.COMPLETED
    assert list(harness.media.files.values()) == [MP4]


async def test_a_film_that_was_recorded_unnoticed_is_fetched_once(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        store.hides = True
        await passed(harness, lambda: bool(harness.media.files))
        await harness.clock.advance(5 * MINUTE)
        store.recover()
        job = await ended(harness, job)
    assert job.status is VideoStatus.COMPLETED
    assert harness.provider.fetched == ["film"]
    assert list(harness.media.files.values()) == [MP4]


async def test_what_is_still_to_be_recorded_is_not_begun_anew_at_the_next_sweep(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    """Nothing can be written, but read: the board still says that the jobs are in our hands."""
    harness.provider.gate.clear()
    async with running(harness):
        sent = await submitted(harness, ann)
        await harness.clock.settle()
        store.is_read_only = True
        harness.provider.gate.set()
        await harness.clock.advance(5 * MINUTE)
        store.recover()
        assert (await ended(harness, sent)).status is VideoStatus.COMPLETED
    assert len(harness.provider.submissions) == 1

    async with running(harness):
        fetched = await submitted(harness, ann)
        await harness.clock.settle()
        store.is_read_only = True
        await harness.clock.advance(10 * MINUTE)
        store.recover()
        assert (await ended(harness, fetched)).status is VideoStatus.COMPLETED
    assert harness.provider.fetched == ["film", "film"]


# --- claims and leases ------------------------------------------------------------------------


@pytest.mark.parametrize("away", [MINUTE, HOUR])
async def test_work_goes_on_by_itself_after_an_outage(
    harness: Harness, store: TroubledStore, ann: User, away: timedelta
) -> None:
    harness.provider.polls.add(*[InProgress()] * 3)
    async with running(harness):
        polled = await submitted(harness, ann)
        await harness.clock.settle()
        waiting = await submitted(harness, ann)
        store.trouble = DatabaseUnavailable()
        await harness.clock.advance(away)
        store.recover()
        for job in (polled, waiting):
            done = await ended(harness, job, within=5 * MINUTE)
            assert done.status is VideoStatus.COMPLETED
    assert len(harness.provider.submissions) == 2


async def test_a_worker_that_starts_during_an_outage_begins_when_it_is_over(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    job = await submitted(harness, ann)
    store.trouble = DatabaseUnavailable()
    async with running(harness):
        await harness.clock.advance(MINUTE)
        store.recover()
        assert (await ended(harness, job)).status is VideoStatus.COMPLETED


async def test_a_worker_that_starts_during_an_outage_can_be_stopped(
    harness: Harness, store: TroubledStore
) -> None:
    store.trouble = DatabaseUnavailable()
    worker = a_worker(harness)
    task = await begun(harness, worker)
    worker.stop()
    await harness.clock.advance(MINUTE)
    assert task.done()


async def test_a_worker_is_stopped_during_an_outage_without_a_sound(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    worker = a_worker(harness)
    task = await begun(harness, worker)
    await submitted(harness, ann)
    await harness.clock.settle()
    store.trouble = DatabaseUnavailable()
    await harness.clock.advance(MINUTE)
    worker.stop()
    await harness.clock.settle()
    assert task.done()
    assert task.exception() is None


async def test_a_claim_that_was_made_unnoticed_leaves_no_job_behind(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    """The store says that it could not claim, but it had; or the answer was lost on its way."""
    harness.provider.submits.add(NotSent(reason="busy", retry_after=20 * SECOND))
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        store.hides = True
        await harness.clock.advance(45)
        store.recover()
        await ended(harness, job, step=15 * SECOND)
    assert len(harness.provider.submissions) <= 2


async def test_a_takeover_that_was_made_unnoticed_leaves_no_job_behind(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    doomed = await begun(harness)
    job = await submitted(harness, ann)
    await harness.clock.settle()
    await killed(doomed)
    async with running(harness):
        store.hides = True
        await harness.clock.advance(75)
        store.recover()
        job = await ended(harness, job, step=15 * SECOND)
    assert job.status is VideoStatus.COMPLETED


async def test_an_answer_in_the_journal_for_a_job_that_has_gone_is_thrown_away(
    harness: Harness,
) -> None:
    answer = Answer(video_id="nothing", nonce="n", provider_job_id="p", polling_url=None)
    await harness.journal.keep(answer)
    async with running(harness):
        await harness.clock.settle()
    assert await harness.journal.kept() == ()


async def test_a_repeated_replay_gives_no_job_a_second_id(harness: Harness, ann: User) -> None:
    """The process died between recording and discarding."""
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        nonce = (await now_of(harness, job)).nonce or ""
    accepted = Accepted(provider_job_id="job-1")
    await harness.journal.keep(
        Answer(
            video_id=job.id,
            nonce=nonce,
            provider_job_id=accepted.provider_job_id,
            polling_url=None,
        )
    )
    async with running(harness):
        job = await ended(harness, job)
    assert (job.status, job.provider_job_id) == (VideoStatus.COMPLETED, "job-1")
    assert await harness.journal.kept() == ()
