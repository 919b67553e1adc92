"""A worker holds thousands of jobs; one that only waits costs next to nothing."""

import asyncio

import pytest

from aigen.adapters.memory.store import MemoryStore
from aigen.domain.model.videos import VideoState
from aigen.ports.provider import InProgress
from aigen.testing import bare_settings
from tests.services.boards import submitted
from tests.services.bounds import opened
from tests.services.workers import a_worker, running
from tests.services.worlds import MINUTE, TroubledStore

MANY = 2000


async def at_work(jobs: int) -> tuple[int, int, int]:
    """With so many jobs in a worker's hands, polled every minute and unchanged for two: how many
    tasks there are between polls, how often the store is written to, how often they are polled."""
    store = TroubledStore(MemoryStore())
    async with opened(bare_settings(jobs_per_user=MANY), store=store) as harness:
        ann = await harness.user()
        for _ in range(jobs):
            await submitted(harness, ann)
        harness.provider.polls.add(*[InProgress()] * 10 * MANY)
        async with running(harness, a_worker(harness, concurrency=MANY, poll=MINUTE)):
            await harness.clock.settle()
            counts = await harness.store.read(lambda records: records.videos.unfinished_of(ann.id))
            assert {job.state for job in counts} == {VideoState.PROCESSING}
            written, polled = store.writes, len(harness.provider.polled)
            await harness.clock.advance(2 * MINUTE)
            return (
                len(asyncio.all_tasks()),
                store.writes - written,
                len(harness.provider.polled) - polled,
            )


async def test_jobs_that_wait_cost_neither_tasks_nor_writes() -> None:
    few_tasks, few_writes, few_polls = await at_work(1)
    many_tasks, many_writes, many_polls = await at_work(MANY)
    assert many_tasks <= few_tasks + 1
    assert many_writes <= few_writes + 2
    assert few_writes <= 20  # a renewal every 20 s, a claim every 15 s, and housekeeping
    assert 1 <= few_polls <= 2
    assert many_polls >= MANY


@pytest.mark.parametrize("concurrency", [1, 64])
async def test_jobs_without_number_are_polled_by_few_calls(concurrency: int) -> None:
    async with opened(bare_settings(jobs_per_user=200)) as harness:
        ann = await harness.user()
        for _ in range(200):
            await submitted(harness, ann)
        async with running(harness, a_worker(harness, concurrency=concurrency)):
            await harness.clock.advance(10 * MINUTE)
        left = await harness.store.read(lambda records: records.videos.unfinished_of(ann.id))
    assert left == ()
    assert len(set(harness.provider.polled)) == 200
