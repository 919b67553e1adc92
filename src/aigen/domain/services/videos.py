"""Video jobs as their owners see them: submit, watch, cancel, retry, remove."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

from aigen.domain.model.errors import JobUnfinished, NotFound, TokenRevoked, TooManyJobs
from aigen.domain.model.idempotency import Attempt, IdempotencyKey
from aigen.domain.model.ledger import Charge, Kind
from aigen.domain.model.media import InputImage, folder_of
from aigen.domain.model.pages import Page
from aigen.domain.model.video_requests import VideoPolicy, VideoRequest
from aigen.domain.model.videos import VideoJob, VideoState
from aigen.domain.services import ledger, removal
from aigen.domain.services.files import Files, remove_films
from aigen.domain.services.inputs import Intake
from aigen.domain.services.money import Money
from aigen.domain.services.repeats import Once, remember, repeated, replay, settle
from aigen.ports.clock import Clock, Ids
from aigen.ports.events import Events, Subscription, VideoEvent
from aigen.ports.media import MediaStore
from aigen.ports.store import HistoryQuery, Records, Store

#: A job takes minutes; sooner than this no place in the queue becomes free.
_ROOM_AFTER = timedelta(seconds=30)

_LOOK_AGAIN_SECONDS = 15


class Videos:
    def __init__(
        self,
        store: Store,
        media: MediaStore,
        files: Files,
        money: Money,
        events: Events,
        clock: Clock,
        ids: Ids,
        policy: VideoPolicy,
    ) -> None:
        self._store = store
        self._media = media
        self._files = files
        self._money = money
        self._events = events
        self._clock = clock
        self._ids = ids
        self._policy = policy

    # --- submit ---------------------------------------------------------------------------

    async def submit(self, user_id: str, request: VideoRequest) -> VideoJob:
        """Queue a job and wake a worker.

        Raises InvalidRequest (an input picture, or an option that the model does not offer),
        SpendLimitReached, StorageFull (no room for a picture), TooManyJobs.
        """
        return (await self.submit_once(user_id, request, None)).value

    async def submit_once(
        self,
        user_id: str,
        request: VideoRequest,
        key: IdempotencyKey | None,
        *,
        key_id: str | None = None,
    ) -> Once[VideoJob]:
        """The same; with a `key`, a repeat gives the first one's job. `key_id` is the personal
        key that pays.

        Raises IdempotencyConflict.
        """
        earlier = await self._earlier(user_id, key)
        if earlier is not None:
            return earlier
        await self._money.check_offered(request)
        video_id = self._ids.new()
        async with Intake(self._media, folder_of(user_id, video_id)) as intake:
            job = self._queued(
                video_id,
                user_id,
                request,
                first_frame=await intake.take("image_url", request.image_url, "first-frame"),
                last_frame=await intake.take(
                    "last_image_url", request.last_image_url, "last-frame"
                ),
            )
            return await self._enqueue(job, key, key_id, intake)

    async def retry(
        self,
        user_id: str,
        video_id: str,
        key: IdempotencyKey | None = None,
        *,
        key_id: str | None = None,
    ) -> Once[VideoJob]:
        """A new job that asks for the same. Raises NotFound, JobNotRetryable, SpendLimitReached,
        TooManyJobs."""
        earlier = await self._earlier(user_id, key)
        if earlier is not None:
            return earlier
        old = await self.get(user_id, video_id)
        old.must_be_retryable()
        new_id = self._ids.new()
        async with Intake(self._media, folder_of(user_id, new_id)) as intake:
            job = self._queued(
                new_id,
                user_id,
                old.request,
                first_frame=await intake.copy(old.first_frame),
                last_frame=await intake.copy(old.last_frame),
                retry_of=old.id,
            )
            return await self._enqueue(job, key, key_id, intake)

    def _queued(
        self,
        video_id: str,
        user_id: str,
        request: VideoRequest,
        *,
        first_frame: InputImage | None,
        last_frame: InputImage | None,
        retry_of: str | None = None,
    ) -> VideoJob:
        now = self._clock.now()
        return VideoJob(
            id=video_id,
            user_id=user_id,
            model=request.model,
            prompt=request.prompt,
            aspect_ratio=request.aspect_ratio,
            resolution=request.resolution,
            duration=request.duration,
            generate_audio=request.generate_audio,
            seed=request.seed,
            first_frame=first_frame,
            last_frame=last_frame,
            retry_of=retry_of,
            created_at=now,
            updated_at=now,
            not_before=now,
            deadline_at=now + self._policy.deadline,
        )

    async def _earlier(self, user_id: str, key: IdempotencyKey | None) -> Once[VideoJob] | None:
        now = self._clock.now()
        return await repeated(self._store, user_id, key, lambda records: records.videos, now)

    async def _enqueue(
        self, job: VideoJob, key: IdempotencyKey | None, key_id: str | None, intake: Intake
    ) -> Once[VideoJob]:
        charge = Charge(
            id=job.id,
            user_id=job.user_id,
            key_id=key_id,
            kind=Kind.VIDEO,
            model=job.model,
            estimate_usd=await self._money.estimate(job.request),
            created_at=job.created_at,
        )

        def change(records: Records) -> Once[VideoJob]:
            if records.users.get(job.user_id) is None:
                raise TokenRevoked
            first = remember(
                records,
                job.user_id,
                key,
                job.id,
                now=job.created_at,
                patience=timedelta(0),
                is_deferred=True,
            )
            if first is not None:
                return replay(first, records.videos.get, job.created_at)
            settle(records, job.user_id, key, Attempt.DONE)
            if len(records.videos.unfinished_of(job.user_id)) >= self._policy.jobs_per_user:
                raise TooManyJobs(
                    f"You may have {self._policy.jobs_per_user} unfinished video jobs: wait for "
                    "one or cancel one.",
                    retry_after=_ROOM_AFTER,
                )
            ledger.reserve(records, charge)
            records.videos.put(job)
            return Once(value=job)

        once = await self._store.write(change)
        if once.is_replay:
            await intake.discard()
        else:
            await self._events.publish(VideoEvent(video_id=job.id, state=job.state))
        return once

    # --- watch ----------------------------------------------------------------------------

    async def get(self, user_id: str, video_id: str) -> VideoJob:
        """Raises NotFound, also for somebody else's."""
        return await self._store.read(lambda records: _own(records, user_id, video_id))

    async def list(self, query: HistoryQuery) -> Page[VideoJob]:
        return await self._store.read(lambda records: records.videos.page(query))

    async def watch(self, user_id: str, video_id: str) -> AsyncIterator[VideoJob]:
        """The job now and after every change, until it is terminal or gone.

        Raises NotFound at the first step.
        """
        async with self._events.subscribe(video_id) as news:
            job = await self.get(user_id, video_id)
            yield job
            while not job.is_terminal:
                await _next_or_a_while(news)
                try:
                    newer = await self.get(user_id, video_id)
                except NotFound:
                    return
                if newer != job:
                    yield newer
                job = newer

    async def wait(self, video_id: str) -> VideoJob:
        """The job once it is terminal. For those who embed aigen: it asks for no owner.

        Raises NotFound if there is none, or not any more.
        """

        def find(records: Records) -> VideoJob:
            job = records.videos.get(video_id)
            if job is None:
                raise NotFound
            return job

        async with self._events.subscribe(video_id) as news:
            while not (job := await self._store.read(find)).is_terminal:
                await _next_or_a_while(news)
        return job

    # --- end ------------------------------------------------------------------------------

    async def cancel(self, user_id: str, video_id: str) -> VideoJob:
        """Stop here, at once; the provider is left alone. Raises NotFound, JobFinished."""
        now = self._clock.now()

        def change(records: Records) -> VideoJob:
            before = _own(records, user_id, video_id)
            job = before.cancelled(now)
            ledger.put_video(records, job, now)
            if before.state is VideoState.PROCESSING:
                remove_films(records, job, range(1, job.epoch + 1))
            return job

        job = await self._store.write(change)
        await self._events.publish(VideoEvent(video_id=job.id, state=job.state))
        return job

    async def remove(self, user_id: str, video_id: str) -> None:
        """Remove a finished job with its files. Raises NotFound, JobUnfinished."""

        now = self._clock.now()

        def change(records: Records) -> None:
            job = _own(records, user_id, video_id)
            if not job.is_terminal:
                raise JobUnfinished
            removal.remove(records, [job], now)

        await self._store.write(change)
        await self._files.carry_out_removals()


async def _next_or_a_while(news: Subscription) -> None:
    """Wait for news, but not for ever: an event may be lost on its way from another process."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LOOK_AGAIN_SECONDS):
            await news.next()


def _own(records: Records, user_id: str, video_id: str) -> VideoJob:
    job = records.videos.get(video_id)
    if job is None or job.user_id != user_id:
        raise NotFound
    return job
