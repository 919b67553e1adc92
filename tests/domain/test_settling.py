"""What an administrator may do to a job: adopt, settle, release; and what a restore does."""

from decimal import Decimal

import pytest

from aigen.domain.model.errors import NotHeld, NotUnknown
from aigen.domain.model.videos import VideoError, VideoJob, VideoState
from aigen.testing.samples import LATER
from tests.domain import jobs
from tests.domain.jobs import THEN, Change

NOT_UNKNOWN = [
    jobs.queued(),
    jobs.submitting(),
    jobs.processing(),
    jobs.completed(),
    jobs.failed(),
    jobs.cancelled(),
    jobs.settle_as_charged(jobs.unknown()),
]


def test_an_adopted_job_is_polled_until_a_new_deadline() -> None:
    job = jobs.unknown()
    adopted = job.adopted(provider_job_id="p", polling_url=None, deadline_at=LATER, now=THEN)
    assert adopted.state is VideoState.PROCESSING
    assert adopted.provider_job_id == "p"
    assert adopted.deadline_at == LATER
    assert adopted.worker_id is None
    assert (adopted.error, adopted.error_code, adopted.finished_at) == (None, None, None)


@pytest.mark.parametrize("was_charged", [True, False])
def test_a_settled_job_stays_failed_and_awaits_no_answer(was_charged: bool) -> None:
    settled = jobs.unknown().settled(was_charged=was_charged, now=THEN)
    assert settled.state is VideoState.FAILED
    assert settled.error_code is VideoError.SUBMISSION_SETTLED
    assert not settled.is_unknown
    assert not settled.awaits_answer("a nonce")
    assert settled.may_be_charged is was_charged
    assert settled.cost_usd == (None if was_charged else Decimal(0))


@pytest.mark.parametrize("settle", [jobs.adopt, jobs.settle_as_charged, jobs.settle_as_free])
@pytest.mark.parametrize("job", NOT_UNKNOWN)
def test_only_an_unknown_submission_can_be_settled(job: VideoJob, settle: Change) -> None:
    with pytest.raises(NotUnknown):
        settle(job)


def test_a_released_job_is_ready_at_once_with_a_new_deadline() -> None:
    held = jobs.queued().held(THEN)
    assert held.is_held
    released = held.released(deadline_at=LATER, now=THEN)
    assert not released.is_held
    assert (released.not_before, released.deadline_at) == (THEN, LATER)
    assert released.state is VideoState.QUEUED


def test_what_is_not_held_cannot_be_released() -> None:
    with pytest.raises(NotHeld):
        jobs.queued().released(deadline_at=LATER, now=THEN)
