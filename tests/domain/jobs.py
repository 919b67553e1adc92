"""A video job in every state, as it comes there in life; and every change that it knows."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from aigen.domain.model.videos import VideoError, VideoJob, VideoState
from aigen.testing.samples import LATER, NOW, a_file, a_job, a_user

THEN = NOW + timedelta(minutes=1)
CENT = Decimal("0.01")

Change = Callable[[VideoJob], VideoJob]


def queued(**fields: Any) -> VideoJob:
    return a_job(a_user(), **fields)


def submitting(**fields: Any) -> VideoJob:
    return claim(queued(**fields))


def processing(**fields: Any) -> VideoJob:
    return accept(submitting(**fields))


def completed(cost_usd: Decimal | None = CENT) -> VideoJob:
    return complete(processing(), cost_usd)


def failed(cost_usd: Decimal | None = None) -> VideoJob:
    return fail(processing(), cost_usd)


def unknown() -> VideoJob:
    return lose(submitting())


def cancelled() -> VideoJob:
    return cancel(queued())


def cancelled_in_flight() -> VideoJob:
    return cancel(submitting())


IN: dict[VideoState, Callable[[], VideoJob]] = {
    VideoState.QUEUED: queued,
    VideoState.SUBMITTING: submitting,
    VideoState.PROCESSING: processing,
    VideoState.COMPLETED: completed,
    VideoState.FAILED: failed,
    VideoState.CANCELLED: cancelled,
}

# --- the changes ------------------------------------------------------------------------------


def claim(job: VideoJob) -> VideoJob:
    return job.claimed(worker_id="a worker", nonce="a nonce", now=THEN)


def accept(job: VideoJob) -> VideoJob:
    return job.accepted(provider_job_id="a provider's job", polling_url="/videos/1", now=THEN)


def requeue(job: VideoJob) -> VideoJob:
    return job.not_accepted(not_before=LATER, now=THEN)


def refuse(job: VideoJob) -> VideoJob:
    return job.refused(reason="no foxes", now=THEN)


def lose(job: VideoJob) -> VideoJob:
    return job.outcome_unknown(reason="cut off", now=THEN)


def cancel(job: VideoJob) -> VideoJob:
    return job.cancelled(THEN)


def complete(job: VideoJob, cost_usd: Decimal | None = CENT) -> VideoJob:
    return job.completed(media=a_file(), cost_usd=cost_usd, now=THEN)


def fail(job: VideoJob, cost_usd: Decimal | None = None) -> VideoJob:
    return job.failed(
        code=VideoError.PROVIDER_FAILED, reason="it broke", cost_usd=cost_usd, now=THEN
    )


def time_out(job: VideoJob) -> VideoJob:
    return job.failed(code=VideoError.QUEUE_TIMEOUT, reason="too late", now=THEN)


def take_over(job: VideoJob) -> VideoJob:
    return job.taken_over(worker_id="another worker", now=THEN)


def adopt(job: VideoJob) -> VideoJob:
    return job.adopted(provider_job_id="a found job", polling_url=None, deadline_at=LATER, now=THEN)


def settle_as_charged(job: VideoJob) -> VideoJob:
    return job.settled(was_charged=True, now=THEN)


def settle_as_free(job: VideoJob) -> VideoJob:
    return job.settled(was_charged=False, now=THEN)
