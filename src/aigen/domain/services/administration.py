"""What an administrator sees and settles; never what people have written or made."""

from datetime import timedelta

from aigen.domain.model.audit import Action, AuditEntry
from aigen.domain.model.errors import InvalidRequest, NotFound, NotUnknown
from aigen.domain.model.limits import check_text
from aigen.domain.model.pages import Page, PageRequest
from aigen.domain.model.statistics import SpendSince, Statistics, UnsettledVideo
from aigen.domain.model.videos import ProviderJob, Unsettled, VideoJob
from aigen.domain.services import ledger
from aigen.ports.clock import Clock, Ids
from aigen.ports.events import Events, VideoEvent
from aigen.ports.store import Records, Store

_LONGEST_PROVIDER_ID = 200


class Administration:
    """`deadline` is how long a job that is given another chance may take."""

    def __init__(
        self, store: Store, events: Events, clock: Clock, ids: Ids, *, deadline: timedelta
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._ids = ids
        self._deadline = deadline

    async def statistics(self) -> Statistics:
        now = self._clock.now()

        def look(records: Records) -> Statistics:
            return Statistics(
                users=records.users.count(),
                tokens=records.refresh_tokens.count(now),
                texts=records.texts.count(),
                images=records.images.count(),
                videos=records.videos.count_by_status(),
                outcome_unknown=records.videos.count_unknown(),
                spend=records.spent(SpendSince.of(now)),
            )

        return await self._store.read(look)

    async def audit(self, page: PageRequest) -> Page[AuditEntry]:
        return await self._store.read(lambda records: records.audit.page(page))

    async def unsettled(self, kind: Unsettled, page: PageRequest) -> Page[UnsettledVideo]:
        """Jobs of everybody that wait for an administrator."""

        def look(records: Records) -> Page[UnsettledVideo]:
            jobs = records.videos.page_unsettled(kind, page)
            found = tuple(_with_estimate(records, job) for job in jobs.items)
            return Page(items=found, next_before=jobs.next_before)

        return await self._store.read(look)

    async def adopt(
        self,
        video_id: str,
        provider_job_id: str,
        *,
        actor_id: str | None = None,
        address: str | None = None,
    ) -> VideoJob:
        """Settle an unknown submission: the provider has it under this id, so go on polling.

        Raises NotFound, NotUnknown, InvalidRequest (an id that another job has).
        """
        check_text("provider_job_id", provider_job_id, longest=_LONGEST_PROVIDER_ID)
        now = self._clock.now()

        def change(records: Records) -> VideoJob:
            job = _existing(records, video_id)
            if not job.is_unknown:
                raise NotUnknown
            if records.provider_jobs.get(provider_job_id) is not None:
                raise InvalidRequest(
                    "This provider job already belongs to another video.",
                    field="provider_job_id",
                )
            adopted = job.adopted(
                provider_job_id=provider_job_id,
                polling_url=None,
                deadline_at=now + self._deadline,
                now=now,
            )
            records.provider_jobs.put(
                ProviderJob(provider_job_id=provider_job_id, video_id=job.id, user_id=job.user_id)
            )
            return self._put(records, adopted, "adopted", actor_id, address)

        return await self._tell(await self._store.write(change))

    async def close(
        self,
        video_id: str,
        *,
        was_charged: bool,
        actor_id: str | None = None,
        address: str | None = None,
    ) -> VideoJob:
        """Settle an unknown submission: it is over, and was charged or not.

        Raises NotFound, NotUnknown.
        """
        now = self._clock.now()

        def change(records: Records) -> VideoJob:
            job = _existing(records, video_id).settled(was_charged=was_charged, now=now)
            how = "charged" if was_charged else "not charged"
            return self._put(records, job, how, actor_id, address)

        return await self._tell(await self._store.write(change))

    async def release(
        self, video_id: str, *, actor_id: str | None = None, address: str | None = None
    ) -> VideoJob:
        """Let a job go on that a restore has held. Raises NotFound, NotHeld."""
        now = self._clock.now()

        def change(records: Records) -> VideoJob:
            job = _existing(records, video_id)
            released = job.released(deadline_at=now + self._deadline, now=now)
            return self._put(records, released, "released", actor_id, address)

        return await self._tell(await self._store.write(change))

    def _put(
        self,
        records: Records,
        job: VideoJob,
        how: str,
        actor_id: str | None,
        address: str | None,
    ) -> VideoJob:
        ledger.put_video(records, job, self._clock.now())
        records.audit.append(
            AuditEntry(
                id=self._ids.new(),
                at=self._clock.now(),
                action=Action.SUBMISSION_RESOLVED,
                actor_id=actor_id,
                target_id=job.id,
                address=address,
                details={"how": how},
            )
        )
        return job

    async def _tell(self, job: VideoJob) -> VideoJob:
        await self._events.publish(
            VideoEvent(video_id=job.id, state=job.state, ask_provider=not job.is_terminal)
        )
        return job


def _with_estimate(records: Records, job: VideoJob) -> UnsettledVideo:
    charge = records.charges.get(job.id)
    return UnsettledVideo(job=job, estimate_usd=None if charge is None else charge.estimate_usd)


def _existing(records: Records, video_id: str) -> VideoJob:
    job = records.videos.get(video_id)
    if job is None:
        raise NotFound
    return job
