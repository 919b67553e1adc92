"""The job board over the store: every legal write of a worker, and the provider's callbacks."""

import random
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from attrs import frozen

from aigen.domain.model.errors import NotFound
from aigen.domain.model.media import MediaRemoval, folder_of
from aigen.domain.model.videos import ProviderJob, VideoError, VideoJob, VideoState
from aigen.domain.services import ledger
from aigen.domain.services.files import remove_films
from aigen.ports.clock import Clock, Ids
from aigen.ports.events import Events, VideoEvent
from aigen.ports.jobs import Claim, Film, JobBoard, LeaseLost, NoFilm
from aigen.ports.media import MediaStore
from aigen.ports.provider import (
    Accepted,
    Misconfigured,
    NotSent,
    Refused,
    SubmitOutcome,
    Unknown,
)
from aigen.ports.store import Records, Store, WorkerLease

#: Jobs taken over in one claim; a worker that comes after a crash asks again until none is left.
_MOST_TAKEN_OVER = 500
_LONGEST_BACKOFF = timedelta(minutes=5)


@frozen(kw_only=True)
class WorkPolicy:
    """`lease` is how long a silent worker keeps its jobs. `callback_base` is the public address
    of the provider's callbacks, None when none are asked for. `is_single_process` says that
    whoever was inside before is dead, since only one process can own the data."""

    lease: timedelta = timedelta(seconds=60)
    deadline: timedelta = timedelta(hours=2)
    callback_base: str | None = None
    is_single_process: bool = False


class Work(JobBoard):
    def __init__(
        self,
        store: Store,
        media: MediaStore,
        events: Events,
        clock: Clock,
        ids: Ids,
        policy: WorkPolicy,
    ) -> None:
        self._store = store
        self._media = media
        self._events = events
        self._clock = clock
        self._ids = ids
        self._policy = policy

    # --- leases ---------------------------------------------------------------------------

    async def enlist(self, worker_id: str, *, is_inside: bool) -> None:
        now = self._clock.now()

        def change(records: Records) -> list[VideoJob]:
            ended: list[VideoJob] = []
            if is_inside and self._policy.is_single_process:
                for lease in records.workers.all():
                    if lease.is_inside:
                        ended += self._end_lease(records, lease.worker_id, now)
            records.workers.put(
                WorkerLease(
                    worker_id=worker_id,
                    expires_at=now + self._policy.lease,
                    is_inside=is_inside,
                )
            )
            return ended

        await self._tell(await self._store.write(change))

    async def renew(self, worker_id: str, *, trouble: str | None) -> None:
        now = self._clock.now()

        def change(records: Records) -> None:
            lease = self._lease(records, worker_id)
            records.workers.put(
                WorkerLease(
                    worker_id=worker_id,
                    expires_at=now + self._policy.lease,
                    is_inside=lease.is_inside,
                    trouble=trouble,
                )
            )

        await self._store.write(change)

    async def release(self, worker_id: str) -> None:
        now = self._clock.now()
        await self._tell(
            await self._store.write(lambda records: self._end_lease(records, worker_id, now))
        )

    def _lease(self, records: Records, worker_id: str) -> WorkerLease:
        """The lease counts as lost when it was ended, not when its time is over: until somebody
        has taken the jobs, their worker may still come back to them."""
        lease = records.workers.get(worker_id)
        if lease is None:
            raise LeaseLost
        return lease

    def _end_lease(self, records: Records, worker_id: str, now: datetime) -> list[VideoJob]:
        """Within a change: free what the worker had. Its unanswered submissions are over."""
        changed = []
        for job in records.videos.held_by(worker_id, _ALL):
            if job.state is VideoState.SUBMITTING:
                freed = job.outcome_unknown(
                    reason="The worker fell silent while it was handing the job to the provider, "
                    "so nobody knows whether the provider took it. It was not sent again.",
                    now=now,
                )
                changed.append(freed)
            else:
                freed = job.let_go()
            ledger.put_video(records, freed, now)
        records.workers.remove(worker_id)
        return changed

    # --- claims ---------------------------------------------------------------------------

    async def claim(self, worker_id: str, *, submissions: int) -> tuple[Claim, ...]:
        if not await self._media.has_room():
            submissions = 0  # never buy what cannot be stored
        now = self._clock.now()
        nonces = [self._ids.secret() for _ in range(submissions)]

        def change(records: Records) -> tuple[list[VideoJob], list[VideoJob]]:
            self._lease(records, worker_id)
            ended = self._end_what_is_overdue(records, now, caller_id=worker_id)
            claimed = [
                job.taken_over(worker_id=worker_id, now=now)
                for job in records.videos.held_by(None, _MOST_TAKEN_OVER)
            ]
            claimed += [
                job.claimed(worker_id=worker_id, nonce=nonce, now=now)
                for job, nonce in zip(records.videos.ready(now, submissions), nonces, strict=False)
            ]
            for job in claimed:
                records.videos.put(job)
            return ended, claimed

        ended, claimed = await self._store.write(change)
        await self._tell([*ended, *claimed])
        return tuple(self._claim(job) for job in claimed)

    async def recall(self, worker_id: str, *, holding: Collection[str]) -> tuple[Claim, ...]:
        has_room = await self._media.has_room()

        def look(records: Records) -> list[VideoJob]:
            return [
                job
                for job in records.videos.held_unheard_of(worker_id, holding)
                if has_room or job.state is VideoState.PROCESSING
            ]

        return tuple(self._claim(job) for job in await self._store.read(look))

    def _end_what_is_overdue(
        self, records: Records, now: datetime, *, caller_id: str
    ) -> list[VideoJob]:
        """Within a change: end leases that have run out, but not that of whoever is calling, and
        jobs that nobody took in time."""
        ended: list[VideoJob] = []
        for lease in records.workers.all():
            if lease.expires_at <= now and lease.worker_id != caller_id:
                ended += self._end_lease(records, lease.worker_id, now)
        for job in records.videos.overdue(now):
            failed = job.failed(
                code=VideoError.QUEUE_TIMEOUT,
                reason="The job waited in the queue past its deadline and was never sent.",
                now=now,
            )
            ledger.put_video(records, failed, now)
            ended.append(failed)
        return ended

    def _claim(self, job: VideoJob) -> Claim:
        callback_url = None
        if self._policy.callback_base is not None and job.nonce is not None:
            callback_url = f"{self._policy.callback_base}/{job.id}.{job.nonce}"
        folder = folder_of(job.user_id, job.id)
        return Claim.of(job, folder=folder, callback_url=callback_url)

    # --- what came of a submission ----------------------------------------------------------

    async def record(self, video_id: str, nonce: str, outcome: SubmitOutcome) -> Claim | None:
        now = self._clock.now()
        luck = random.random()  # noqa: S311 - spreads retries, hides nothing

        def change(records: Records) -> tuple[VideoJob | None, VideoJob | None]:
            job = records.videos.get(video_id)
            if job is None or not job.awaits_answer(nonce):
                return job, None
            after = self._answered(records, job, outcome, now, luck)
            if after is not job:
                ledger.put_video(records, after, now)
            return job, after

        before, after = await self._store.write(change)
        if before is not None and after is not None and after.state is not before.state:
            # Proof that came late: no worker holds the job, one of them has to take it.
            is_news = before.is_terminal
            await self._events.publish(
                VideoEvent(video_id=after.id, state=after.state, ask_provider=is_news)
            )
        return self._claim(after) if after is not None and _is_with_sender(after) else None

    def _answered(
        self,
        records: Records,
        job: VideoJob,
        outcome: SubmitOutcome,
        now: datetime,
        luck: float,
    ) -> VideoJob:
        """The job after the provider's answer. An answer that changes nothing came before."""
        if isinstance(outcome, Accepted):
            return self._accepted(records, job, outcome.provider_job_id, outcome.polling_url, now)
        if job.state not in {VideoState.SUBMITTING, VideoState.CANCELLED} or job.provider_job_id:
            return job
        match outcome:
            case NotSent(retry_after=retry_after):
                pause = _backoff(job.attempts, retry_after, luck)
                return job.not_accepted(not_before=now + pause, now=now)
            case Misconfigured():
                # Nobody's job's fault: the worker pauses, the job is first in the queue again.
                return job.not_accepted(not_before=now, now=now)
            case Refused(reason=reason):
                return job.refused(reason=reason, now=now)
            case Unknown(reason=reason):
                return job.outcome_unknown(
                    reason="Nobody knows whether the provider took the job, so it may be charged "
                    f"({reason}). It was not sent again.",
                    now=now,
                )

    def _accepted(
        self,
        records: Records,
        job: VideoJob,
        provider_job_id: str,
        polling_url: str | None,
        now: datetime,
    ) -> VideoJob:
        if job.provider_job_id == provider_job_id:
            return job
        owner = records.provider_jobs.get(provider_job_id)
        is_open = job.state in {VideoState.SUBMITTING, VideoState.CANCELLED} or job.is_unknown
        if not is_open or job.provider_job_id is not None:
            return job
        if owner is not None:
            if job.state is not VideoState.SUBMITTING:
                return job
            return job.failed(
                code=VideoError.PROVIDER_DUPLICATE,
                reason="The provider answered with the id of another job.",
                now=now,
            )
        records.provider_jobs.put(
            ProviderJob(provider_job_id=provider_job_id, video_id=job.id, user_id=job.user_id)
        )
        if job.is_unknown:
            return job.adopted(
                provider_job_id=provider_job_id,
                polling_url=polling_url,
                deadline_at=now + self._policy.deadline,
                now=now,
            )
        return job.accepted(provider_job_id=provider_job_id, polling_url=polling_url, now=now)

    # --- the end of a job -------------------------------------------------------------------

    async def finish(self, video_id: str, epoch: int, result: Film | NoFilm) -> bool:
        now = self._clock.now()

        def change(records: Records) -> tuple[bool, VideoJob | None]:
            job = records.videos.get(video_id)
            if job is not None and job.epoch == epoch and job.state is VideoState.PROCESSING:
                ended = _ended(job, result, now)
                ledger.put_video(records, ended, now, result.generation_ids)
                remove_films(records, job, range(1, epoch))
                return True, ended
            if job is not None and _is_ended_so(job, result):
                return True, None  # this very end was recorded before
            if isinstance(result, Film) and not _has_file(job, result):
                # A film that nobody owns any more must not stay behind.
                records.removals.put(MediaRemoval(prefix=result.media.key))
            return False, None

        is_taken, ended = await self._store.write(change)
        if ended is not None:
            await self._tell([ended])
        return is_taken

    # --- the provider calls back ------------------------------------------------------------

    async def must_expect(self, video_id: str, nonce: str, provider_job_id: str) -> None:
        """Raise NotFound unless a callback with this nonce may speak of this provider job."""

        def look(records: Records) -> bool:
            job = records.videos.get(video_id)
            return (
                job is not None
                and job.awaits_answer(nonce)
                and job.provider_job_id in {None, provider_job_id}
            )

        if not await self._store.read(look):
            raise NotFound

    async def called_back(self, video_id: str, nonce: str, provider_job_id: str) -> None:
        """The provider has news of a job. It proves that it accepted it; the rest is asked for,
        since a poll tells the same and cannot be replayed."""
        await self.record(video_id, nonce, Accepted(provider_job_id=provider_job_id))
        job = await self._store.read(lambda records: records.videos.get(video_id))
        if job is not None and job.state is VideoState.PROCESSING:
            await self._events.publish(
                VideoEvent(video_id=job.id, state=job.state, ask_provider=True)
            )

    # --- telling ----------------------------------------------------------------------------

    async def _tell(self, jobs: Iterable[VideoJob]) -> None:
        await self._events.publish(*(VideoEvent(video_id=job.id, state=job.state) for job in jobs))


_ALL = 10**9


def _is_with_sender(job: VideoJob) -> bool:
    """Whether the provider has the job, and whoever handed it over is to poll it: nobody has
    taken it over, which would have raised the epoch above the number of attempts."""
    is_held = job.state is VideoState.PROCESSING and job.worker_id is not None
    return is_held and job.epoch == job.attempts


def _ended(job: VideoJob, result: Film | NoFilm, now: datetime) -> VideoJob:
    if isinstance(result, Film):
        return job.completed(media=result.media, cost_usd=result.cost_usd, now=now)
    return job.failed(code=result.code, reason=result.reason, cost_usd=result.cost_usd, now=now)


def _is_ended_so(job: VideoJob, result: Film | NoFilm) -> bool:
    if isinstance(result, Film):
        return job.media == result.media
    return job.state is VideoState.FAILED and job.error_code is result.code


def _has_file(job: VideoJob | None, film: Film) -> bool:
    return job is not None and job.media is not None and job.media.key == film.media.key


def _backoff(attempts: int, retry_after: timedelta | None, luck: float) -> timedelta:
    """2, 4, 8 … seconds up to five minutes, a fifth more or less; never less, but up to a fifth
    more than the provider asked for."""
    ours = min(timedelta(seconds=2 ** min(attempts, 10)), _LONGEST_BACKOFF) * (0.8 + 0.4 * luck)
    return ours if retry_after is None else max(ours, retry_after * (1 + 0.2 * luck))
