"""Events that go from process to process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import psycopg
import pytest_asyncio

from aigen.adapters.postgres.events import PostgresEvents
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.videos import VideoState
from aigen.ports.events import Subscription, VideoEvent
from aigen.ports.store import WorkerLease
from aigen.testing.samples import LATER, new_id
from tests.postgres.installations import events_on, store_on
from tests.postgres.server import Server


@pytest_asyncio.fixture
async def channels(database_url: str) -> AsyncIterator[list[PostgresEvents]]:
    """Four processes, each with a worker."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(store_on(database_url))
        for _ in range(4):
            lease = WorkerLease(worker_id=new_id(), expires_at=LATER.replace(year=9000))
            await store.write(lambda records, lease=lease: records.workers.put(lease))  # type: ignore[misc]
        yield [
            await stack.enter_async_context(events_on(database_url, SystemIds())) for _ in range(4)
        ]


def changed(state: VideoState = VideoState.PROCESSING) -> VideoEvent:
    return VideoEvent(video_id=new_id(), state=state, ask_provider=True)


async def heard(news: Subscription, count: int) -> tuple[VideoEvent, ...]:
    found: tuple[VideoEvent, ...] = ()
    async with asyncio.timeout(20):
        while len(found) < count:
            found += await news.next()
    return found


async def test_a_change_is_heard_in_all_processes_in_order(channels: list[PostgresEvents]) -> None:
    events = tuple(changed() for _ in range(250))
    async with AsyncExitStack() as stack:
        news = [await stack.enter_async_context(each.subscribe()) for each in channels]
        await channels[0].publish(*events)
        for subscription in news:
            assert await heard(subscription, len(events)) == events


async def test_whoever_watches_one_job_hears_of_it_from_elsewhere(
    channels: list[PostgresEvents],
) -> None:
    mine, other = changed(VideoState.COMPLETED), changed()
    async with channels[1].subscribe(mine.video_id) as news:
        await channels[0].publish(other, mine)
        assert await heard(news, 1) == (mine,)


async def test_a_new_job_wakes_one_worker_if_that_one_takes_it(
    channels: list[PostgresEvents],
) -> None:
    """Of the three elsewhere most hear nothing of a job that one of them has taken."""
    here, *elsewhere = channels
    woken: list[str] = []

    async def work(channel: PostgresEvents) -> None:
        async with channel.subscribe() as news:
            ready.set()
            while True:
                for event in await news.next():
                    if event.state.is_waiting:
                        woken.append(event.video_id)
                        state = VideoState.SUBMITTING
                        await channel.publish(VideoEvent(video_id=event.video_id, state=state))

    workers = []
    for channel in elsewhere:
        ready = asyncio.Event()
        workers.append(asyncio.create_task(work(channel)))
        await ready.wait()
    jobs = [changed(VideoState.QUEUED) for _ in range(20)]
    async with here.subscribe() as news:
        for job in jobs:
            await here.publish(job)
            taken = VideoEvent(video_id=job.video_id, state=VideoState.SUBMITTING)
            while taken not in await heard(news, 1):
                pass
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert set(woken) == {job.video_id for job in jobs}
    assert len(woken) < 2 * len(jobs)


async def test_a_new_job_that_nobody_takes_wakes_everybody(channels: list[PostgresEvents]) -> None:
    job = changed(VideoState.QUEUED)
    async with AsyncExitStack() as stack:
        news = [await stack.enter_async_context(each.subscribe()) for each in channels[1:]]
        await channels[0].publish(job)
        for subscription in news:
            assert await heard(subscription, 1) == (job,)


async def test_after_a_cut_connection_it_listens_again(
    channels: list[PostgresEvents], database_url: str, postgres: Server
) -> None:
    async with channels[1].subscribe() as news:
        await asyncio.to_thread(postgres.cut_all, database_url)

        async def tell() -> None:
            while True:
                await channels[0].publish(changed())
                await asyncio.sleep(0.05)  # what is said before it listens is lost

        telling = asyncio.create_task(tell())
        assert await heard(news, 1)
        telling.cancel()


async def test_what_cannot_be_read_is_passed_over(
    channels: list[PostgresEvents], database_url: str
) -> None:
    event = changed()
    async with channels[0].subscribe() as news:
        with psycopg.connect(database_url, autocommit=True) as connection:
            for payload in ("", "{}", '["x", [[1]]]', '["x", [["a", "unheard of", false]]]'):
                connection.execute("SELECT pg_notify('aigen_events', %s)", (payload,))
        await channels[1].publish(event)
        assert await heard(news, 1) == (event,)
