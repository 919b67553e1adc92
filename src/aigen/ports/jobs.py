"""What a worker needs of the house: claim jobs, write down what became of them, keep a journal."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from attrs import frozen

from aigen.domain.model.errors import AigenError
from aigen.domain.model.media import InputImage, StoredMedia
from aigen.domain.model.videos import VideoError, VideoJob
from aigen.ports.provider import SubmitOutcome


@frozen(kw_only=True)
class Claim:
    """A job in a worker's hands.

    With a `nonce` it is to be submitted; without, the provider works on it and it is to be
    polled, for which nobody needs its prompt. `epoch` fences every later write. `folder` is where
    its film belongs.
    """

    video_id: str
    epoch: int
    folder: str
    deadline_at: datetime
    nonce: str | None
    provider_job_id: str | None
    polling_url: str | None
    model: str
    prompt: str
    aspect_ratio: str | None
    resolution: str | None
    duration: int | None
    generate_audio: bool | None
    seed: int | None
    first_frame: InputImage | None
    last_frame: InputImage | None
    callback_url: str | None

    @classmethod
    def of(cls, job: VideoJob, *, folder: str, callback_url: str | None) -> "Claim":
        is_submitted = job.provider_job_id is not None
        return cls(
            video_id=job.id,
            epoch=job.epoch,
            folder=folder,
            deadline_at=job.deadline_at,
            nonce=None if is_submitted else job.nonce,
            provider_job_id=job.provider_job_id,
            polling_url=job.polling_url,
            model=job.model,
            # It may be long, and thousands of jobs are polled at the same time.
            prompt="" if is_submitted else job.prompt,
            aspect_ratio=job.aspect_ratio,
            resolution=job.resolution,
            duration=job.duration,
            generate_audio=job.generate_audio,
            seed=job.seed,
            first_frame=job.first_frame,
            last_frame=job.last_frame,
            callback_url=callback_url,
        )


@frozen(kw_only=True)
class Film:
    """The job is completed by this file. Its cost and `generation_ids` are as in Done."""

    media: StoredMedia
    cost_usd: Decimal | None
    generation_ids: tuple[str, ...] = ()


@frozen(kw_only=True)
class NoFilm:
    """The job has failed for good. Its cost and `generation_ids` are as in Done and Ended."""

    code: VideoError
    reason: str
    cost_usd: Decimal | None = None
    generation_ids: tuple[str, ...] = ()


class LeaseLost(AigenError):
    """The worker was silent for too long and its jobs are in other hands."""

    code = "lease_lost"


class JobBoard(Protocol):
    """Where workers find jobs. Every method may raise DatabaseUnavailable, Busy and StorageFull
    and may be repeated: a repeated write changes nothing and answers the same. Only `claim` goes
    on to other jobs; those of a claim whose answer was lost can be had by `recall`."""

    async def enlist(self, worker_id: str, *, is_inside: bool) -> None:
        """Begin a lease, for as long as the house has configured. `is_inside` says that the
        worker lives and dies with the process that owns the data."""
        ...

    async def renew(self, worker_id: str, *, trouble: str | None) -> None:
        """Extend the worker's lease. `trouble` is what keeps it from submitting, for the
        administrator to read.

        Raises LeaseLost if its jobs are in other hands: forget them all, come back under a new id.
        """
        ...

    async def claim(self, worker_id: str, *, submissions: int) -> tuple[Claim, ...]:
        """Up to `submissions` queued jobs, fairly among users, and jobs whose worker has gone.

        Committed before it is answered. First ends what is overdue: queued jobs past their
        deadline, submissions of workers that fell silent. Raises LeaseLost.
        """
        ...

    async def recall(self, worker_id: str, *, holding: Collection[str]) -> tuple[Claim, ...]:
        """The jobs that are in the worker's hands, but for those that it knows of (`holding`): it
        never heard that it was given them, so it has not sent them either."""
        ...

    async def record(self, video_id: str, nonce: str, outcome: SubmitOutcome) -> Claim | None:
        """What came of the submission `nonce`; the claim to poll with if the provider has the
        job, whoever has told us so, and nobody else polls it.

        Guarded by the nonce alone, so that a late answer still lands.
        """
        ...

    async def finish(self, video_id: str, epoch: int, result: Film | NoFilm) -> bool:
        """The end of a job, unless it is no longer the worker's: then False, and drop it."""
        ...

    async def release(self, worker_id: str) -> None:
        """The worker stops: its jobs may be taken over at once."""
        ...


@frozen(kw_only=True)
class Answer:
    """A provider's acceptance that the board could not take yet."""

    video_id: str
    nonce: str
    provider_job_id: str
    polling_url: str | None


class Journal(Protocol):
    """Acceptances that must not be forgotten while the database is away."""

    async def keep(self, answer: Answer) -> None:
        """Safe on disk when it returns."""
        ...

    async def kept(self) -> tuple[Answer, ...]:
        """All that were kept and not yet discarded, oldest first."""
        ...

    async def discard(self, answer: Answer) -> None:
        """It is recorded now."""
        ...
