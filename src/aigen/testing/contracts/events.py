"""What every channel of events must do; the fixture `events` is one with no listeners."""

import asyncio

from aigen.domain.model.videos import VideoState
from aigen.ports.events import Events, VideoEvent
from aigen.testing.samples import new_id


def an_event(state: VideoState = VideoState.QUEUED) -> VideoEvent:
    return VideoEvent(video_id=new_id(), state=state)


async def test_a_listener_hears_of_every_job_in_order(events: Events) -> None:
    first, second = an_event(), an_event(VideoState.COMPLETED)
    async with events.subscribe() as news:
        await events.publish(first, second)
        heard: tuple[VideoEvent, ...] = ()
        while len(heard) < 2:
            heard += await news.next()
    assert heard == (first, second)


async def test_a_listener_to_one_job_hears_of_no_other(events: Events) -> None:
    mine, other = an_event(), an_event()
    async with events.subscribe(mine.video_id) as news:
        await events.publish(other, mine)
        assert await news.next() == (mine,)


async def test_all_listeners_hear(events: Events) -> None:
    event = an_event()
    async with events.subscribe() as one, events.subscribe(event.video_id) as other:
        await events.publish(event)
        assert await one.next() == (event,)
        assert await other.next() == (event,)


async def test_a_listener_waits_until_something_happens(events: Events) -> None:
    event = an_event()
    async with events.subscribe() as news:
        waiting = asyncio.ensure_future(news.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        await events.publish(event)
        assert await waiting == (event,)


async def test_who_has_left_hears_nothing_and_nobody_minds(events: Events) -> None:
    async with events.subscribe() as news:
        pass
    await events.publish(an_event())
    waiting = asyncio.ensure_future(news.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
