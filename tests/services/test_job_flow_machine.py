"""Whatever owners, workers, provider, clock and administrators do, in whatever order."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from aigen.adapters.memory.store import MemoryStore
from aigen.ports.store import Records, Store
from tests.databases import Databases, Maker, databases
from tests.services.job_flow import JobFlow
from tests.services.job_flow_rules import Watcher
from tests.services.job_flow_terms import COST, ENDS, VERDICTS, Hand

T = TypeVar("T")

#: Which of the things that are there: the first, the second, …
numbers = st.integers(0, 5)
#: Seconds: moments, more than a lease, more than a deadline; and clocks that are set back.
steps = st.sampled_from([0.001, 10, 61, 61, 61, 7300, -10, -3600])
verdicts = st.sampled_from(list(VERDICTS))

#: How many examples, for each one of the profile; databases commit to a disk.
EXAMPLES = {"memory": 2.0, "duckdb": 0.2, "postgres": 0.1}


class Restartable(Store):
    """A store that another process takes over now and then; in memory it stays as it is."""

    def __init__(self, new: Maker | None) -> None:
        self._new = new
        self._store = MemoryStore() if new is None else new()

    async def open(self) -> None:
        if not isinstance(self._store, MemoryStore):
            await self._store.open()

    async def close(self) -> None:
        if not isinstance(self._store, MemoryStore):
            await self._store.close()

    async def restart(self) -> None:
        await self.close()
        if self._new is not None:
            self._store = self._new()
        await self.open()

    async def read(self, look: Callable[[Records], T]) -> T:
        return await self._store.read(look)

    async def write(self, change: Callable[[Records], T]) -> T:
        return await self._store.write(change)


class JobFlowMachine(RuleBasedStateMachine):
    def __init__(self, databases: Databases | None) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = ExitStack()
        new = None if databases is None else self.stack.enter_context(databases())
        self.store = Restartable(new)
        self.run(self.store.open())
        self.flow = JobFlow(self.store)
        self.watcher = Watcher(self.flow)
        self.is_whole = True

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do one thing, and look whether all is still as it must be."""
        self.is_whole = False
        result = self.run(work)
        self.run(self.watcher.look())
        self.is_whole = True
        return result

    @initialize(jobs=st.integers(1, 4))
    def somebody_is_there(self, jobs: int) -> None:
        self.do(self.flow.cap_the_house())
        for _ in range(2):
            self.do(self.flow.add_user())
            self.do(self.flow.begin())
        for number in range(jobs):
            self.submit(number)

    # --- owners -------------------------------------------------------------------------------

    @property
    def job_ids(self) -> list[str]:
        return list(self.flow.job_ids)

    @rule(number=numbers)
    def submit(self, number: int) -> None:
        self.do(self.flow.submit(nth(self.flow.users, number)))

    @precondition(lambda self: self.job_ids)
    @rule(number=numbers)
    def cancel(self, number: int) -> None:
        self.do(self.flow.cancel(nth(self.job_ids, number)))

    @precondition(lambda self: self.watcher.ids(lambda job: job.is_terminal))
    @rule(number=numbers, how=st.sampled_from(["retry", "remove"]))
    def retry_or_remove(self, number: int, how: str) -> None:
        video_id = nth(self.watcher.ids(lambda job: job.is_terminal), number)
        self.do(self.flow.retry(video_id) if how == "retry" else self.flow.remove(video_id))

    @precondition(lambda self: len(self.job_ids) > 2)
    @rule()
    def remove_user(self) -> None:
        self.do(self.flow.remove_user(self.flow.users[0]))
        self.do(self.flow.add_user())

    # --- workers ------------------------------------------------------------------------------

    @property
    def alive(self) -> list[Hand]:
        return [hand for hand in self.flow.hands if hand.is_alive]

    @property
    def sleepwalkers(self) -> list[Hand]:
        """Who has something to send; the dead too, since they may only have been asleep."""
        return [hand for hand in self.flow.hands if hand.unsent]

    @precondition(lambda self: self.alive)
    @rule(number=numbers, submissions=st.integers(0, 2))
    def claim(self, number: int, submissions: int) -> None:
        self.do(self.flow.claim(nth(self.alive, number), submissions))

    @precondition(lambda self: self.alive)
    @rule(number=numbers, submissions=st.integers(0, 2))
    def claim_unheard(self, number: int, submissions: int) -> None:
        self.do(self.flow.claim_unheard(nth(self.alive, number), submissions))

    @precondition(lambda self: self.alive)
    @rule(number=numbers)
    def recall(self, number: int) -> None:
        self.do(self.flow.recall(nth(self.alive, number)))

    @precondition(lambda self: self.sleepwalkers)
    @rule(number=numbers, verdict=verdicts)
    def send(self, number: int, verdict: str) -> None:
        self.do(self.flow.send(nth(self.sleepwalkers, number), verdict))

    @precondition(lambda self: self.flow.unanswered())
    @rule(number=numbers)
    def answer(self, number: int) -> None:
        self.do(self.flow.answer(nth(self.flow.unanswered(), number)))

    @precondition(lambda self: self.flow.sent)
    @rule(number=numbers)
    def answer_again(self, number: int) -> None:
        self.do(self.flow.answer(nth(self.flow.sent, number)))

    @precondition(lambda self: any(sent.real_id for sent in self.flow.sent))
    @rule(number=numbers)
    def call_back(self, number: int) -> None:
        taken = [sent for sent in self.flow.sent if sent.real_id]
        self.do(self.flow.call_back(nth(taken, number)))

    @precondition(lambda self: self.alive)
    @rule(number=numbers, verdict=verdicts)
    def work_without_interruption(self, number: int, verdict: str) -> None:
        hand = nth(self.alive, number)
        self.do(self.flow.claim(hand, 2))
        while hand.unsent:
            self.do(self.flow.send(hand, verdict))
            self.do(self.flow.answer(self.flow.sent[-1]))

    @precondition(lambda self: any(hand.polled for hand in self.flow.hands))
    @rule(number=numbers, end=st.sampled_from(list(ENDS)))
    def finish(self, number: int, end: str) -> None:
        """Also by a worker that was asleep."""
        held = [(hand, video_id) for hand in self.flow.hands for video_id in hand.polled]
        hand, video_id = nth(held, number)
        self.do(self.flow.finish(hand, video_id, end))

    @precondition(lambda self: self.alive)
    @rule(number=numbers, how=st.sampled_from(["is killed", "stops"]))
    def a_worker_goes_and_another_comes(self, number: int, how: str) -> None:
        hand = nth(self.alive, number)
        if how == "stops":
            self.do(self.flow.release(hand))
        else:
            hand.is_alive = False
        self.do(self.flow.begin())

    # --- the rest of the world ----------------------------------------------------------------

    @rule(seconds=steps, is_awake=st.booleans())
    def time_passes(self, seconds: float, is_awake: bool) -> None:
        """Everybody may have slept meanwhile, as on a laptop."""
        self.flow.clock.set(self.flow.clock.now() + timedelta(seconds=seconds))
        for hand in self.alive if is_awake else ():
            self.do(self.flow.renew(hand))

    @precondition(lambda self: self.watcher.ids(lambda job: job.is_unknown))
    @rule(number=numbers, how=st.sampled_from(["charged", "free", "adopt", "adopt another's"]))
    def settle(self, number: int, how: str) -> None:
        video_id = nth(self.watcher.ids(lambda job: job.is_unknown), number)
        if how in {"charged", "free"}:
            self.do(self.flow.close(video_id, was_charged=how == "charged"))
            return
        is_right = how == "adopt"
        ids = [
            sent.real_id
            for sent in self.flow.sent
            if sent.real_id and (sent.claim.video_id == video_id or not is_right)
        ]
        self.do(self.flow.adopt(video_id, nth(ids or [f"found-{number}"], number)))

    @rule(cost=st.sampled_from([COST, None]))
    def costs_are_looked_up(self, cost: Decimal | None) -> None:
        self.flow.provider.costs.add(cost)
        self.do(self.flow.costs.settle_open())

    @rule()
    def the_process_restarts(self) -> None:
        self.do(self.store.restart())

    # --- the end ------------------------------------------------------------------------------

    def everything_comes_to_an_end(self) -> None:
        """However it has come: the living finish what they have, a new worker takes over from
        the dead, and what nobody has sent by its deadline ends there."""
        living = self.alive
        for hand in living:
            self.work_off(hand)
        fresh = self.do(self.flow.begin())
        self.let_pass(self.run(self.flow.seen()).leases.values())
        for hand in (*living, fresh):
            self.do(self.flow.renew(hand))
        self.work_off(fresh)
        self.run(self.watcher.nothing_is_at_work())
        jobs = self.run(self.flow.seen()).jobs.values()
        self.let_pass(job.deadline_at for job in jobs)
        self.work_off(fresh)
        for hand in self.flow.hands:
            for video_id in list(hand.polled):
                self.do(self.flow.finish(hand, video_id, "a film"))
        self.run(self.watcher.nothing_is_left())
        self.do(self.flow.costs.settle_open())
        charges = self.run(self.flow.seen()).charges.values()
        self.let_pass(charge.closes_at for charge in charges if charge.closes_at)
        self.do(self.flow.costs.settle_open())
        self.run(self.watcher.no_charge_is_open())

    def let_pass(self, instants: Iterable[datetime]) -> None:
        """The clock may have been set back, so this can take long."""
        self.flow.clock.set(max([self.flow.clock.now(), *instants]))

    def work_off(self, hand: Hand) -> None:
        """All that this worker has, and what it can take over; nothing new."""
        self.do(self.flow.claim(hand, 0))
        self.do(self.flow.recall(hand))
        while hand.unsent:
            self.do(self.flow.send(hand, "takes it"))
        for sent in self.flow.unanswered():
            if sent.hand is hand:
                self.do(self.flow.answer(sent))
        self.do(self.flow.recall(hand))  # what it took over while it was still sending it
        for video_id in list(hand.polled):
            self.do(self.flow.finish(hand, video_id, "a film of unknown cost"))

    def teardown(self) -> None:
        try:
            if self.is_whole:
                self.everything_comes_to_an_end()
        finally:
            self.run(self.store.close())
            self.loop.close()
            self.stack.close()


def nth(things: Sequence[T], number: int) -> T:
    return things[number % len(things)]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_no_job_is_bought_twice_lost_or_forgotten(
    kind: str, request: pytest.FixtureRequest
) -> None:
    new = None if kind == "memory" else databases(kind, request)
    run_state_machine_as_test(
        lambda: JobFlowMachine(new),  # type: ignore[arg-type]
        settings=settings(
            max_examples=int(settings().max_examples * EXAMPLES[kind]),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
