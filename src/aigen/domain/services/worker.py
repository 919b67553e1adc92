"""The worker: submits queued jobs, polls those the provider works on, fetches what is finished."""

import asyncio
import heapq
import logging
import random
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from attrs import define, frozen

from aigen.domain.model.errors import AigenError
from aigen.domain.services.patience import until_taken
from aigen.domain.services.poller import Poller
from aigen.domain.services.polling import Again, Watch
from aigen.domain.services.submitter import Submitter
from aigen.ports.clock import Clock, Ids
from aigen.ports.events import Events, VideoEvent
from aigen.ports.jobs import Claim, Film, JobBoard, Journal, LeaseLost, NoFilm
from aigen.ports.media import MediaFiles
from aigen.ports.provider import Accepted, Misconfigured, Refused, SubmitOutcome, VideoProvider

logger = logging.getLogger(__name__)


@frozen(kw_only=True)
class WorkerPolicy:
    """`sweep` is the longest time between looks for queued jobs, `poll` the time between polls
    of one job, `concurrency` the number of calls to the provider at a time, `lease` the time
    after which a silent worker's jobs are taken over, `largest_film` in bytes."""

    sweep: timedelta = timedelta(seconds=15)
    poll: timedelta = timedelta(seconds=15)
    concurrency: int = 64
    lease: timedelta = timedelta(seconds=60)
    largest_film: int = 2**30


@define(eq=False)
class _Held:
    """A job in our hands; it costs no task while it only waits for its next poll."""

    watch: Watch
    due_at: datetime
    task: asyncio.Task[None] | None = None


class Worker:
    """One loop keeps the agenda; only calls to the provider are tasks of their own."""

    def __init__(
        self,
        board: JobBoard,
        provider: VideoProvider,
        media: MediaFiles,
        events: Events,
        journal: Journal,
        clock: Clock,
        ids: Ids,
        policy: WorkerPolicy,
        *,
        is_inside: bool,
    ) -> None:
        self._board = board
        self._submitter = Submitter(board, provider, media, journal, clock)
        self._poller = Poller(provider, media, clock, largest=policy.largest_film)
        self._events = events
        self._clock = clock
        self._ids = ids
        self._policy = policy
        self._is_inside = is_inside
        self._worker_id = ""
        self._held: dict[str, _Held] = {}
        self._agenda: list[tuple[datetime, int, str]] = []
        self._order = count()
        self._submissions: set[asyncio.Task[None]] = set()
        self._polls: set[asyncio.Task[None]] = set()
        #: Jobs whose answer, or film, is not recorded yet. By attempt, since the late end of one
        #: must not hide that the next has been sent.
        self._sending: dict[str, str] = {}
        self._finishing: set[str] = set()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._wants_claims = True
        self._trouble: str | None = None
        self._submit_again_at: datetime | None = None
        #: When `run` began or its loop last came round, which it does at every sweep.
        self.last_seen_at: datetime | None = None

    # --- life -----------------------------------------------------------------------------

    def stop(self) -> None:
        """Claim nothing more, finish what is being submitted, let go of the rest; `run` ends."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Work until `stop` is called; cancelling it stops at once."""
        self.last_seen_at = self._clock.now()
        self._worker_id = self._ids.new()
        await self._enlist()
        try:
            async with asyncio.TaskGroup() as helpers:
                helping = {
                    helpers.create_task(self._keep_lease()),
                    helpers.create_task(self._listen()),
                    helpers.create_task(self._submitter.replay_journal()),
                }
                await self._work()
                await _cancel(self._polls)
                # The lease is kept meanwhile: nobody may think that these were never answered.
                while self._submissions:
                    await asyncio.wait(set(self._submissions))
                await _cancel(helping)
        finally:
            await _cancel({*self._polls, *self._submissions})
            self._forget_all()
            self._sending.clear()
        with suppress(AigenError):
            await self._board.release(self._worker_id)

    async def _enlist(self) -> None:
        """Begin a lease as soon as somebody can be asked for it, unless we are stopped first."""
        enlisting = asyncio.create_task(until_taken(self._clock, self._ask_for_lease))
        stopping = asyncio.create_task(_reached(self._stopping))
        try:
            await asyncio.wait({enlisting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel({enlisting, stopping})
        if not enlisting.cancelled():
            enlisting.result()

    async def _ask_for_lease(self) -> None:
        await self._board.enlist(self._worker_id, is_inside=self._is_inside)

    async def _start_over(self, lost_id: str) -> None:
        """Our jobs are in other hands: forget them. Answers to submissions still count."""
        if lost_id != self._worker_id:
            return  # two calls have found out about the same loss
        logger.warning("the lease was lost; starting over under a new id")
        self._worker_id = self._ids.new()
        await _cancel(self._polls)
        self._forget_all()
        await self._enlist()
        self._want_claims()

    def _forget_all(self) -> None:
        self._held.clear()
        self._agenda.clear()

    async def _keep_lease(self) -> None:
        while True:
            await self._clock.sleep(self._policy.lease / 3)
            await self._renew()

    async def _renew(self) -> None:
        worker_id = self._worker_id
        try:
            await self._board.renew(worker_id, trouble=self._trouble)
        except LeaseLost:
            await self._start_over(worker_id)
        except AigenError as error:
            logger.warning("the lease could not be renewed: %s", error.detail)

    async def _listen(self) -> None:
        async with self._events.subscribe() as news:
            while True:
                for event in await news.next():
                    self._heard(event)

    def _heard(self, event: VideoEvent) -> None:
        held = self._held.get(event.video_id)
        if held is None:
            if event.state.is_waiting or event.ask_provider:
                self._want_claims()
        elif event.state.is_terminal:
            self._drop(event.video_id)
        elif event.ask_provider:
            self._plan(event.video_id, held, self._clock.now())

    # --- the loop -------------------------------------------------------------------------

    async def _work(self) -> None:
        sweep_at = self._clock.now()
        while not self._stopping.is_set():
            self._wake.clear()
            now = self.last_seen_at = self._clock.now()
            if now >= sweep_at:
                self._wants_claims = True
                sweep_at = now + self._policy.sweep
                await self._recall()
            if self._submit_again_at is not None and now >= self._submit_again_at:
                self._wants_claims = True
            if self._wants_claims and self._free_slots() > 0:
                await self._claim(now)
            self._start_due_polls(now)
            await self._until(min([sweep_at, *self._times_for_calls()]))

    async def _until(self, instant: datetime) -> None:
        """Wait for this instant, or until something wakes us."""
        waiting = {
            asyncio.create_task(self._clock.sleep(instant - self._clock.now())),
            asyncio.create_task(_reached(self._wake)),
        }
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel(waiting)

    def _want_claims(self) -> None:
        self._wants_claims = True
        self._wake.set()

    def _free_slots(self) -> int:
        return self._policy.concurrency - len(self._submissions) - len(self._polls)

    def _times_for_calls(self) -> list[datetime]:
        """When the next poll is due, and the next try of a job while our key or credit is refused.
        Without a free slot neither: one that becomes free wakes us."""
        if self._free_slots() <= 0:
            return []
        due_at = self._agenda[0][0] if self._agenda else None
        return [at for at in (due_at, self._submit_again_at) if at is not None]

    # --- submitting -----------------------------------------------------------------------

    async def _claim(self, now: datetime) -> None:
        self._wants_claims = False
        allowed = self._allowed_submissions(now)
        worker_id = self._worker_id
        try:
            claims = await self._board.claim(worker_id, submissions=allowed)
        except LeaseLost:
            await self._start_over(worker_id)
            return
        except AigenError as error:
            logger.warning("jobs could not be claimed: %s", error.detail)
            return
        self._take_up(claims)
        submissions = sum(claim.nonce is not None for claim in claims)
        has_all = submissions < allowed or self._trouble is not None
        if len(claims) > submissions or not has_all:
            self._want_claims()  # there may be more where these came from

    async def _recall(self) -> None:
        """Take up what was given to us without our hearing of it: an answer may have been lost."""
        worker_id = self._worker_id
        holding = {*self._held, *self._sending.values(), *self._finishing}
        try:
            forgotten = await self._board.recall(worker_id, holding=holding)
        except AigenError as error:
            logger.warning("forgotten jobs could not be asked for: %s", error.detail)
            return
        if worker_id == self._worker_id:
            self._take_up(forgotten)

    def _take_up(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            if claim.nonce is None:
                self._hold(claim, self._clock.now())
            elif self._free_slots() > 0:  # else it is recalled at the next sweep
                self._sending[claim.nonce] = claim.video_id
                self._start(self._submissions, self._submit(claim, claim.nonce))

    def _allowed_submissions(self, now: datetime) -> int:
        """As many as there are slots; one now and then while our key or credit is refused."""
        if self._submit_again_at is None:
            return self._free_slots()
        if now < self._submit_again_at:
            return 0
        self._submit_again_at = now + self._policy.poll
        return 0 if self._submissions else 1

    async def _submit(self, claim: Claim, nonce: str) -> None:
        outcome = await self._submitter.send(claim)
        is_news = self._learn(outcome)
        accepted = await self._submitter.record(claim, outcome)
        del self._sending[nonce]
        if accepted is not None:
            self._hold(accepted, self._clock.now() + _jittered(self._policy.poll))
        if is_news:
            await self._renew()  # tells the administrator
            self._want_claims()

    def _learn(self, outcome: SubmitOutcome) -> bool:
        """Stop submitting while the provider refuses our key or credit; whether that changed."""
        before = self._trouble
        if isinstance(outcome, Misconfigured):
            self._trouble = outcome.reason
            self._submit_again_at = self._clock.now() + self._policy.poll
        elif isinstance(outcome, Accepted | Refused):
            self._trouble = self._submit_again_at = None
        return self._trouble != before

    # --- polling --------------------------------------------------------------------------

    def _hold(self, claim: Claim, due_at: datetime) -> None:
        held = _Held(Watch(claim, self._policy.poll), due_at)
        self._held[claim.video_id] = held
        self._plan(claim.video_id, held, due_at)

    def _plan(self, video_id: str, held: _Held, due_at: datetime) -> None:
        """Put a job on the agenda. An entry that a later one overtakes is passed over."""
        held.due_at = min(due_at, max(held.watch.claim.deadline_at, self._clock.now()))
        heapq.heappush(self._agenda, (held.due_at, next(self._order), video_id))
        if self._agenda[0][2] == video_id:
            self._wake.set()

    def _start_due_polls(self, now: datetime) -> None:
        while self._agenda and self._agenda[0][0] <= now and self._free_slots() > 0:
            due_at, _, video_id = heapq.heappop(self._agenda)
            held = self._held.get(video_id)
            if held is not None and held.task is None and held.due_at == due_at:
                held.task = self._start(self._polls, self._poll(video_id, held))

    async def _poll(self, video_id: str, held: _Held) -> None:
        step = await self._poller.next_step(held.watch)
        is_ours = self._held.get(video_id) is held
        if not isinstance(step, Again):
            if is_ours:
                # Not to be dropped any more: a film that is stored must be recorded.
                del self._held[video_id]
            await self._finish(held, step)
        elif is_ours:
            held.task = None
            self._plan(video_id, held, self._clock.now() + _jittered(step.pause))

    async def _finish(self, held: _Held, result: Film | NoFilm) -> None:
        claim = held.watch.claim
        self._finishing.add(claim.video_id)
        try:
            await until_taken(
                self._clock, lambda: self._board.finish(claim.video_id, claim.epoch, result)
            )
        except Exception:
            # Not to be left in our hands with nobody looking after it.
            logger.exception("the end of a job could not be recorded; polling it again")
            self._hold(claim, self._clock.now() + _jittered(self._policy.poll))
        finally:
            self._finishing.discard(claim.video_id)

    def _drop(self, video_id: str) -> None:
        """The job was ended by somebody else: stop fetching what nobody wants."""
        held = self._held.pop(video_id)
        if held.task is not None:
            held.task.cancel()

    # --- tasks ----------------------------------------------------------------------------

    def _start(
        self, tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            self._wake.set()  # a slot is free
            if not task.cancelled() and (error := task.exception()):
                logger.error("a call to the provider failed", exc_info=error)

        task.add_done_callback(ended)
        return task


async def _reached(event: asyncio.Event) -> None:
    await event.wait()


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel the tasks and wait until they are gone."""
    leaving = tuple(tasks)
    for task in leaving:
        task.cancel()
    await asyncio.gather(*leaving, return_exceptions=True)


def _jittered(pause: timedelta) -> timedelta:
    return pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads polls, hides nothing
