"""What must be true of all jobs after every single step."""

from collections.abc import Callable
from hashlib import sha256

from attrs import evolve

from aigen.domain.model.ledger import HOUSE
from aigen.domain.model.videos import TRANSITIONS, VideoError, VideoJob, VideoState
from tests.services.job_flow import JobFlow
from tests.services.job_flow_terms import HARMLESS, HOUSE_CAP, USER_CAP, Seen

_AT_WORK = {VideoState.SUBMITTING, VideoState.PROCESSING}


class Watcher:
    """Looks at everything after each step, and remembers how it was before."""

    def __init__(self, flow: JobFlow) -> None:
        self._flow = flow
        self._before: dict[str, VideoJob] = {}

    def ids(self, is_meant: Callable[[VideoJob], bool]) -> list[str]:
        """The jobs of a kind, as they were when last looked at."""
        return [video_id for video_id, job in self._before.items() if is_meant(job)]

    async def look(self) -> None:
        seen = await self._flow.seen()
        assert set(seen.jobs) == set(self._flow.job_ids)
        self._nothing_is_sent_twice()
        self._ids_are_unique(seen)
        self._numbers_agree(seen)
        self._every_cent_is_accounted_for(seen)
        for job in seen.jobs.values():
            self._went_where_it_may(job)
            self._is_in_good_hands(job, seen)
            self._has_its_film(job)
            self._says_what_it_may_cost(job)
        self._before = seen.jobs

    async def nothing_is_at_work(self) -> None:
        seen = await self._flow.seen()
        assert not any(job.state in _AT_WORK for job in seen.jobs.values())

    async def no_charge_is_open(self) -> None:
        """But those that wait for an administrator."""
        seen = await self._flow.seen()
        unknown = {job.id for job in seen.jobs.values() if job.is_unknown}
        assert {c.id for c in seen.charges.values() if c.is_open} <= unknown

    async def nothing_is_left(self) -> None:
        seen = await self._flow.seen()
        assert all(job.is_terminal for job in seen.jobs.values())
        await self._flow.files.carry_out_removals()
        wanted = {job.media.key for job in seen.jobs.values() if job.media is not None}
        assert set(self._flow.media.files) == wanted

    # --- the rules ----------------------------------------------------------------------------

    def _nothing_is_sent_twice(self) -> None:
        """Each attempt is sent at most once, and none follows one that may have been taken."""
        addresses = [submission.callback_url for submission in self._flow.provider.submissions]
        assert len(addresses) == len(set(addresses))
        last: dict[str, bool] = {}
        for sent in self._flow.sent:
            assert last.get(sent.claim.video_id, True)
            last[sent.claim.video_id] = isinstance(sent.outcome, HARMLESS)

    @staticmethod
    def _ids_are_unique(seen: Seen) -> None:
        ids = {job.id: job.provider_job_id for job in seen.jobs.values() if job.provider_job_id}
        assert len(set(ids.values())) == len(ids)
        assert all(seen.owners[real_id] == video_id for video_id, real_id in ids.items())

    def _numbers_agree(self, seen: Seen) -> None:
        for user in self._flow.users:
            own = {job.id for job in seen.jobs.values() if job.user_id == user.id}
            open_ones = {video_id for video_id in own if not seen.jobs[video_id].is_terminal}
            assert seen.unfinished[user.id] == open_ones

    def _every_cent_is_accounted_for(self, seen: Seen) -> None:
        assert set(seen.charges) == set(self._flow.charge_ids)
        for owner, tally in seen.tallies.items():
            if tally is None:
                continue
            charges = [c for c in seen.charges.values() if owner in {HOUSE, c.user_id}]
            of_day = [c for c in charges if c.created_at.date() == tally.day]
            month = (tally.day.year, tally.day.month)
            of_month = [c for c in charges if (c.created_at.year, c.created_at.month) == month]
            assert tally.spent_day == sum(c.cost_usd for c in of_day)
            assert tally.reserved_day == sum(c.held_usd for c in of_day)
            assert tally.spent_month == sum(c.cost_usd for c in of_month)
            assert tally.reserved_month == sum(c.held_usd for c in of_month)
            assert tally.of_day().held_usd <= (HOUSE_CAP if owner == HOUSE else USER_CAP)
        for job in seen.jobs.values():
            charge = seen.charges[job.id]
            if not job.is_terminal or job.is_unknown:
                assert charge.is_open
            elif charge.is_open:
                assert charge.closes_at is not None
            elif not job.may_be_charged:
                assert charge.cost_usd == 0

    def _went_where_it_may(self, job: VideoJob) -> None:
        before = self._before.get(job.id)
        if before is None:
            assert job.state is VideoState.QUEUED
            return
        assert job.epoch >= before.epoch
        assert job.attempts >= before.attempts
        if job.state is not before.state:
            assert job.state in TRANSITIONS[before.state]
            assert not before.is_terminal or before.is_unknown
            assert not before.is_terminal or self._flow.has_proof(job.id)
        if before.state is VideoState.COMPLETED:
            assert evolve(before, cost_usd=job.cost_usd, updated_at=job.updated_at) == job
            assert before.cost_usd in {None, job.cost_usd}

    @staticmethod
    def _is_in_good_hands(job: VideoJob, seen: Seen) -> None:
        """It waits, or somebody with a lease has it, or anybody may take it over."""
        if job.state is VideoState.SUBMITTING:
            assert job.worker_id in seen.leases
        elif job.state is VideoState.PROCESSING:
            assert job.worker_id is None or job.worker_id in seen.leases
        else:
            assert job.worker_id is None
        assert (job.finished_at is not None) is job.is_terminal

    def _has_its_film(self, job: VideoJob) -> None:
        assert (job.media is not None) is (job.state is VideoState.COMPLETED)
        if job.media is not None:
            content = self._flow.media.files[job.media.key]
            assert sha256(content).hexdigest() == job.media.sha256

    def _says_what_it_may_cost(self, job: VideoJob) -> None:
        was_taken = any(
            sent.real_id is not None and sent.claim.video_id == job.id for sent in self._flow.sent
        )
        if was_taken and job.error_code is not VideoError.SUBMISSION_SETTLED:
            assert job.may_be_charged or job.cost_usd == 0
        if job.attempts == 0:
            assert not job.may_be_charged
