"""The video job: its states, and every change that may happen to it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from attrs import evolve, frozen

from aigen.domain.model.errors import (
    JobFinished,
    JobNotRetryable,
    NotHeld,
    NotUnknown,
)
from aigen.domain.model.media import InputImage, StoredMedia, files_of
from aigen.domain.model.video_requests import VideoRequest


class VideoStatus(StrEnum):
    """What everybody may see."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class VideoState(StrEnum):
    """What is stored: the public states, and the step in which a submission is in flight."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def status(self) -> VideoStatus:
        if self is VideoState.SUBMITTING:
            return VideoStatus.PROCESSING
        return VideoStatus(self.value)

    @property
    def is_waiting(self) -> bool:
        return self is VideoState.QUEUED

    @property
    def is_terminal(self) -> bool:
        # Asked for every change; hashing an enum's member into a set costs ten comparisons.
        return (
            self is VideoState.COMPLETED
            or self is VideoState.FAILED
            or self is VideoState.CANCELLED
        )


#: The truth about the state machine; the diagram in docs/arc42, the SQL and the tests are held
#: against it. FAILED leads on only from an unknown submission, on proof that it was accepted.
TRANSITIONS: Mapping[VideoState, frozenset[VideoState]] = MappingProxyType(
    {
        VideoState.QUEUED: frozenset(
            {VideoState.SUBMITTING, VideoState.FAILED, VideoState.CANCELLED}
        ),
        VideoState.SUBMITTING: frozenset(
            {
                VideoState.QUEUED,
                VideoState.PROCESSING,
                VideoState.FAILED,
                VideoState.CANCELLED,
            }
        ),
        VideoState.PROCESSING: frozenset(
            {VideoState.COMPLETED, VideoState.FAILED, VideoState.CANCELLED}
        ),
        VideoState.COMPLETED: frozenset(),
        VideoState.FAILED: frozenset({VideoState.PROCESSING}),
        VideoState.CANCELLED: frozenset(),
    }
)


class VideoError(StrEnum):
    """Why a job failed, or (the last one) why a queued job is not being worked on."""

    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_FAILED = "provider_failed"
    PROVIDER_CANCELLED = "provider_cancelled"
    PROVIDER_EXPIRED = "provider_expired"
    PROVIDER_LOST = "provider_lost"
    PROVIDER_DUPLICATE = "provider_duplicate"
    NO_CONTENT = "no_content"
    MEDIA_UNAVAILABLE = "media_unavailable"
    MEDIA_REJECTED = "media_rejected"
    QUEUE_TIMEOUT = "queue_timeout"
    DEADLINE = "deadline"
    SUBMISSION_OUTCOME_UNKNOWN = "submission_outcome_unknown"
    SUBMISSION_SETTLED = "submission_settled"
    HELD_AFTER_RESTORE = "held_after_restore"


class Unsettled(StrEnum):
    """Why a job waits for an administrator."""

    OUTCOME_UNKNOWN = "outcome_unknown"
    HELD = "held"


class GenerationType(StrEnum):
    TEXT_TO_VIDEO = "text_to_video"
    IMAGE_TO_VIDEO = "image_to_video"


@frozen(kw_only=True)
class VideoJob:
    """A video that somebody asked for.

    `epoch` is the fence: it grows with every claim, and only writes that carry the present one
    are taken. `nonce` names the one attempt to submit that may still be answered. `worker_id` is
    who submits or polls, None while nobody does. `not_before` holds a queued job back.
    """

    id: str
    user_id: str
    model: str
    prompt: str
    created_at: datetime
    updated_at: datetime
    deadline_at: datetime
    not_before: datetime
    state: VideoState = VideoState.QUEUED
    aspect_ratio: str | None = None
    resolution: str | None = None
    duration: int | None = None
    generate_audio: bool | None = None
    seed: int | None = None
    first_frame: InputImage | None = None
    last_frame: InputImage | None = None
    retry_of: str | None = None
    is_held: bool = False
    worker_id: str | None = None
    epoch: int = 0
    attempts: int = 0
    nonce: str | None = None
    provider_job_id: str | None = None
    polling_url: str | None = None
    media: StoredMedia | None = None
    may_be_charged: bool = False
    cost_usd: Decimal | None = None
    error: str | None = None
    error_code: VideoError | None = None
    submitted_at: datetime | None = None
    finished_at: datetime | None = None

    # --- what it is ---------------------------------------------------------------------------

    @property
    def status(self) -> VideoStatus:
        return self.state.status

    @property
    def is_terminal(self) -> bool:
        return self.state.is_terminal

    @property
    def is_unknown(self) -> bool:
        """Whether it failed because nobody knows what became of its submission."""
        return self.error_code is VideoError.SUBMISSION_OUTCOME_UNKNOWN

    @property
    def generation_type(self) -> GenerationType:
        if self.first_frame is None:
            return GenerationType.TEXT_TO_VIDEO
        return GenerationType.IMAGE_TO_VIDEO

    @property
    def request(self) -> VideoRequest:
        """What was asked for, without the pictures."""
        return VideoRequest(
            model=self.model,
            prompt=self.prompt,
            aspect_ratio=self.aspect_ratio,
            resolution=self.resolution,
            duration=self.duration,
            generate_audio=self.generate_audio,
            seed=self.seed,
        )

    @property
    def files(self) -> tuple[StoredMedia, ...]:
        """All that is stored for it: its film, and the pictures that it begins and ends with."""
        return files_of(self.media, self.first_frame, self.last_frame)

    @property
    def shown_error_code(self) -> VideoError | None:
        return VideoError.HELD_AFTER_RESTORE if self.is_held else self.error_code

    def awaits_answer(self, nonce: str) -> bool:
        """Whether an answer to the attempt `nonce` still belongs to this job."""
        return self.nonce is not None and self.nonce == nonce

    # --- the owner ----------------------------------------------------------------------------

    def cancelled(self, now: datetime) -> "VideoJob":
        """Stop here. A submission in flight may still be accepted: see `accepted`."""
        if self.state is VideoState.CANCELLED:
            return self
        if self.is_terminal:
            raise JobFinished
        return self._to(
            VideoState.CANCELLED,
            now,
            is_held=False,
            worker_id=None,
            finished_at=now,
        )

    def must_be_retryable(self) -> None:
        if self.state not in {VideoState.FAILED, VideoState.CANCELLED}:
            raise JobNotRetryable

    # --- the worker ---------------------------------------------------------------------------

    def claimed(self, *, worker_id: str, nonce: str, now: datetime) -> "VideoJob":
        """Submission begins: committed before anything is sent."""
        return self._to(
            VideoState.SUBMITTING,
            now,
            worker_id=worker_id,
            epoch=self.epoch + 1,
            attempts=self.attempts + 1,
            nonce=nonce,
            may_be_charged=True,
        )

    def accepted(
        self, *, provider_job_id: str, polling_url: str | None, now: datetime
    ) -> "VideoJob":
        """The provider took it. Late answers land too; a cancelled job only notes the id."""
        if self.state is VideoState.CANCELLED:
            return evolve(
                self,
                provider_job_id=provider_job_id,
                polling_url=polling_url,
                may_be_charged=True,
                submitted_at=now,
                updated_at=now,
            )
        return self._to(
            VideoState.PROCESSING,
            now,
            provider_job_id=provider_job_id,
            polling_url=polling_url,
            may_be_charged=True,
            error=None,
            error_code=None,
            submitted_at=now,
            finished_at=None,
        )

    def not_accepted(self, *, not_before: datetime, now: datetime) -> "VideoJob":
        """Surely not taken: back into the queue, or free of charge if cancelled meanwhile."""
        if self.state is VideoState.CANCELLED:
            return self._never_sent(now)
        return self._to(
            VideoState.QUEUED,
            now,
            nonce=None,
            may_be_charged=False,
            worker_id=None,
            not_before=not_before,
        )

    def refused(self, *, reason: str, now: datetime) -> "VideoJob":
        """The provider said no to this very request."""
        if self.state is VideoState.CANCELLED:
            return self._never_sent(now)
        self._must_be_submitting(VideoState.FAILED)
        return self._never_sent(now).failed(
            code=VideoError.PROVIDER_REFUSED, reason=reason, now=now
        )

    def outcome_unknown(self, *, reason: str, now: datetime) -> "VideoJob":
        """Nobody knows whether it was taken; the nonce stays, for an answer may yet come."""
        if self.state is VideoState.CANCELLED:
            return self
        self._must_be_submitting(VideoState.FAILED)
        return self.failed(code=VideoError.SUBMISSION_OUTCOME_UNKNOWN, reason=reason, now=now)

    def taken_over(self, *, worker_id: str, now: datetime) -> "VideoJob":
        """Another worker polls from here on; the one before can write no more."""
        return evolve(self, worker_id=worker_id, epoch=self.epoch + 1, updated_at=now)

    def let_go(self) -> "VideoJob":
        """Its worker stopped: anybody may take it over."""
        return evolve(self, worker_id=None)

    def completed(
        self, *, media: StoredMedia, cost_usd: Decimal | None, now: datetime
    ) -> "VideoJob":
        return self._to(
            VideoState.COMPLETED,
            now,
            media=media,
            cost_usd=cost_usd,
            may_be_charged=cost_usd != 0,
            worker_id=None,
            finished_at=now,
        )

    def failed(
        self, *, code: VideoError, reason: str, now: datetime, cost_usd: Decimal | None = None
    ) -> "VideoJob":
        return self._to(
            VideoState.FAILED,
            now,
            error_code=code,
            error=reason,
            cost_usd=cost_usd,
            may_be_charged=self.may_be_charged and cost_usd != 0,
            worker_id=None,
            finished_at=now,
        )

    # --- the administrator and the operator -----------------------------------------------------

    def adopted(
        self, *, provider_job_id: str, polling_url: str | None, deadline_at: datetime, now: datetime
    ) -> "VideoJob":
        """There is proof that an unknown submission was accepted."""
        self._must_be_unknown()
        return evolve(
            self.accepted(provider_job_id=provider_job_id, polling_url=polling_url, now=now),
            deadline_at=deadline_at,
        )

    def settled(self, *, was_charged: bool, now: datetime) -> "VideoJob":
        """An administrator found out what an unknown submission cost."""
        self._must_be_unknown()
        return evolve(
            self,
            error_code=VideoError.SUBMISSION_SETTLED,
            error="Nobody knew whether the provider took the job; an administrator settled it as "
            + ("charged." if was_charged else "not charged."),
            may_be_charged=was_charged,
            cost_usd=self.cost_usd if was_charged else Decimal(0),
            nonce=None,
            updated_at=now,
        )

    def held(self, now: datetime) -> "VideoJob":
        """A restored backup cannot know whether a queued job was submitted after it was made."""
        return evolve(self, is_held=True, updated_at=now)

    def released(self, *, deadline_at: datetime, now: datetime) -> "VideoJob":
        if not self.is_held:
            raise NotHeld
        return evolve(self, is_held=False, not_before=now, deadline_at=deadline_at, updated_at=now)

    def _never_sent(self, now: datetime) -> "VideoJob":
        if self.provider_job_id is not None:  # the provider has said otherwise before
            return self
        return evolve(self, nonce=None, may_be_charged=False, updated_at=now)

    def _must_be_submitting(self, target: VideoState) -> None:
        if self.state is not VideoState.SUBMITTING:
            raise IllegalTransition(self.state, target)

    def _must_be_unknown(self) -> None:
        if not self.is_unknown:
            raise NotUnknown

    def _to(self, state: VideoState, now: datetime, **changes: Any) -> "VideoJob":
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(self.state, state)
        if self.state is VideoState.FAILED:
            self._must_be_unknown()
        return evolve(self, state=state, updated_at=now, **changes)


class IllegalTransition(RuntimeError):
    """The program tried what the table forbids: a bug, never a user's fault."""

    def __init__(self, source: VideoState, target: VideoState) -> None:
        super().__init__(f"a job cannot go from {source} to {target}")


@frozen(kw_only=True)
class ProviderJob:
    """Which of our jobs a provider's job id belongs to; no two share one."""

    provider_job_id: str
    video_id: str
    user_id: str
