"""The states of a video job: what may follow what, and what each change leaves behind."""

from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import given

from aigen.domain.model.errors import (
    AigenError,
    InvalidRequest,
    JobFinished,
    JobNotRetryable,
    NotUnknown,
)
from aigen.domain.model.media import InputImage
from aigen.domain.model.video_requests import VideoRequest
from aigen.domain.model.videos import (
    TRANSITIONS,
    GenerationType,
    IllegalTransition,
    VideoError,
    VideoJob,
    VideoState,
    VideoStatus,
)
from aigen.testing.samples import LATER
from tests.domain import jobs
from tests.domain.jobs import THEN, Change
from tests.strategies import histories

#: The one change that leads to each state, whatever the reason for it.
LEADING_TO: dict[VideoState, Change] = {
    VideoState.QUEUED: jobs.requeue,
    VideoState.SUBMITTING: jobs.claim,
    VideoState.PROCESSING: jobs.accept,
    VideoState.COMPLETED: jobs.complete,
    VideoState.FAILED: jobs.fail,
    VideoState.CANCELLED: jobs.cancel,
}
#: What a cancelled job hears of its submission: it takes note, and stays cancelled.
ANSWERS = (jobs.accept, jobs.requeue, jobs.refuse, jobs.lose)

ALLOWED = [(source, target) for source in TRANSITIONS for target in TRANSITIONS[source]]
FORBIDDEN = [
    (source, target)
    for source in VideoState
    for target in VideoState
    if target not in TRANSITIONS[source]
    and not (source is VideoState.CANCELLED and LEADING_TO[target] in ANSWERS)
    and (source, target) != (VideoState.CANCELLED, VideoState.CANCELLED)
]


def start_in(source: VideoState, target: VideoState) -> VideoJob:
    """A job in `source`; a failed one that goes on failed because nobody knew its outcome."""
    goes_on = source is VideoState.FAILED and target is VideoState.PROCESSING
    return jobs.unknown() if goes_on else jobs.IN[source]()


def test_the_table_speaks_of_every_state() -> None:
    assert set(TRANSITIONS) == set(VideoState)
    assert {target for targets in TRANSITIONS.values() for target in targets} == set(VideoState)


@pytest.mark.parametrize(("source", "target"), ALLOWED)
def test_a_job_goes_where_the_table_says(source: VideoState, target: VideoState) -> None:
    after = LEADING_TO[target](start_in(source, target))
    assert (after.state, after.updated_at) == (target, THEN)


@pytest.mark.parametrize(("source", "target"), FORBIDDEN)
def test_a_job_goes_nowhere_else(source: VideoState, target: VideoState) -> None:
    expected = JobFinished if target is VideoState.CANCELLED else IllegalTransition
    with pytest.raises(expected):
        LEADING_TO[target](start_in(source, target))


@pytest.mark.parametrize("answer", [jobs.accept, jobs.adopt])
def test_a_job_that_plainly_failed_never_comes_back(answer: Change) -> None:
    with pytest.raises(NotUnknown):
        answer(jobs.failed())


@pytest.mark.parametrize("state", VideoState)
def test_only_a_submission_in_flight_is_shown_as_another_state(state: VideoState) -> None:
    if state is VideoState.SUBMITTING:
        assert state.status is VideoStatus.PROCESSING
    else:
        assert state.status.value == state.value


@pytest.mark.parametrize("state", VideoState)
def test_the_terminal_states_are_completed_failed_and_cancelled(state: VideoState) -> None:
    terminal = {VideoState.COMPLETED, VideoState.FAILED, VideoState.CANCELLED}
    assert state.is_terminal is (state in terminal)
    assert state.is_waiting is (state is VideoState.QUEUED)


@given(histories())
def test_whatever_happens_a_job_stays_whole(history: list[Change]) -> None:
    """A change is either refused, or leaves a job that makes sense."""
    job = jobs.queued()
    for change in history:
        before = job
        try:
            job = change(job)
        except (IllegalTransition, AigenError):
            continue
        assert job.state is before.state or job.state in TRANSITIONS[before.state]
        assert (job.media is not None) is (job.state is VideoState.COMPLETED)
        assert (job.finished_at is not None) is job.is_terminal
        assert job.epoch >= before.epoch
        assert 0 <= job.attempts - before.attempts <= 1
        assert job.nonce is not None or job.state is not VideoState.SUBMITTING
        assert job.provider_job_id is not None or job.state is not VideoState.PROCESSING
        assert job.worker_id is None or job.state in {VideoState.SUBMITTING, VideoState.PROCESSING}
        assert not job.is_unknown or job.state is VideoState.FAILED


# --- cancelling -------------------------------------------------------------------------------


@pytest.mark.parametrize("job", [jobs.queued(), jobs.submitting(), jobs.processing()])
def test_an_unfinished_job_is_cancelled_at_once(job: VideoJob) -> None:
    cancelled = job.cancelled(THEN)
    assert cancelled.state is VideoState.CANCELLED
    assert cancelled.worker_id is None
    assert cancelled.finished_at == THEN


def test_cancelling_again_changes_nothing() -> None:
    cancelled = jobs.cancelled()
    assert cancelled.cancelled(LATER) == cancelled


@pytest.mark.parametrize("job", [jobs.completed(), jobs.failed(), jobs.unknown()])
def test_a_finished_job_cannot_be_cancelled(job: VideoJob) -> None:
    with pytest.raises(JobFinished):
        job.cancelled(THEN)


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_job_cancelled_in_flight_stays_so_whatever_the_answer(answer: Change) -> None:
    cancelled = jobs.cancelled_in_flight()
    after = answer(cancelled)
    assert after.state is VideoState.CANCELLED
    assert after.finished_at == cancelled.finished_at
    assert after.error_code is None


def test_a_job_cancelled_in_flight_notes_the_providers_id() -> None:
    after = jobs.accept(jobs.cancelled_in_flight())
    assert after.provider_job_id == "a provider's job"
    assert after.submitted_at == THEN


def test_cancelling_a_held_job_lets_go_of_it() -> None:
    assert jobs.cancel(jobs.queued(is_held=True)).is_held is False


# --- submitting -------------------------------------------------------------------------------


def test_a_claim_names_worker_and_attempt_and_raises_the_fence() -> None:
    job = jobs.queued(epoch=4, attempts=2)
    claimed = job.claimed(worker_id="w", nonce="n", now=THEN)
    assert (claimed.worker_id, claimed.nonce) == ("w", "n")
    assert (claimed.epoch, claimed.attempts) == (5, 3)


def test_a_takeover_raises_the_fence_and_keeps_the_state() -> None:
    job = jobs.processing()
    taken = jobs.take_over(job)
    assert (taken.state, taken.worker_id) == (VideoState.PROCESSING, "another worker")
    assert taken.epoch == job.epoch + 1
    assert taken.let_go().worker_id is None


def test_what_was_surely_not_taken_waits_for_a_new_attempt() -> None:
    again = jobs.requeue(jobs.submitting())
    assert (again.nonce, again.worker_id, again.not_before) == (None, None, LATER)


def test_a_refusal_says_why_in_the_providers_words() -> None:
    refused = jobs.refuse(jobs.submitting())
    assert (refused.error_code, refused.error) == (VideoError.PROVIDER_REFUSED, "no foxes")
    assert refused.nonce is None


def test_an_answer_belongs_to_the_attempt_that_was_asked() -> None:
    job = jobs.submitting()
    assert job.awaits_answer("a nonce")
    assert not job.awaits_answer("another nonce")
    assert not jobs.requeue(job).awaits_answer("a nonce")
    assert not jobs.queued().awaits_answer("")


@pytest.mark.parametrize("answer", [jobs.requeue, jobs.refuse, jobs.lose])
@pytest.mark.parametrize("job", [jobs.queued(), jobs.processing()])
def test_only_a_submission_in_flight_has_an_outcome(job: VideoJob, answer: Change) -> None:
    with pytest.raises(IllegalTransition):
        answer(job)


def test_an_unknown_submission_still_awaits_its_answer() -> None:
    job = jobs.unknown()
    assert job.is_unknown
    assert job.awaits_answer("a nonce")


def test_a_late_acceptance_brings_an_unknown_job_back() -> None:
    back = jobs.accept(jobs.unknown())
    assert back.state is VideoState.PROCESSING
    assert (back.error, back.error_code, back.finished_at) == (None, None, None)
    assert back.provider_job_id == "a provider's job"


# --- the rest ---------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [jobs.failed, jobs.unknown, jobs.cancelled])
def test_failed_and_cancelled_jobs_can_be_retried(make: Callable[[], VideoJob]) -> None:
    make().must_be_retryable()


@pytest.mark.parametrize(
    "job", [jobs.queued(), jobs.submitting(), jobs.processing(), jobs.completed()]
)
def test_other_jobs_cannot_be_retried(job: VideoJob) -> None:
    with pytest.raises(JobNotRetryable):
        job.must_be_retryable()


def test_a_job_with_a_first_frame_is_made_from_an_image() -> None:
    job = jobs.queued()
    assert job.generation_type is GenerationType.TEXT_TO_VIDEO
    from_image = evolve(job, first_frame=InputImage(url="https://example.org/fox.png"))
    assert from_image.generation_type is GenerationType.IMAGE_TO_VIDEO


def test_a_held_job_says_why_it_does_not_move() -> None:
    job = jobs.queued()
    assert job.shown_error_code is None
    assert job.held(THEN).shown_error_code is VideoError.HELD_AFTER_RESTORE
    assert jobs.failed().shown_error_code is VideoError.PROVIDER_FAILED


def test_a_last_frame_needs_a_first() -> None:
    with pytest.raises(InvalidRequest) as refused:
        VideoRequest(model="m", prompt="p", last_image_url="https://example.org/fox.png")
    assert refused.value.field == "last_image_url"
