"""Events among those who live in one process."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aigen.ports.events import Events, Subscription, VideoEvent

#: A listener that has not read so many events has lost the thread anyway.
_LONGEST_BACKLOG = 10_000


class LocalEvents(Events):
    def __init__(self) -> None:
        self._of_one: dict[str, set[_Inbox]] = {}
        self._of_all: set[_Inbox] = set()

    async def publish(self, *events: VideoEvent) -> None:
        for event in events:
            for inbox in (*self._of_all, *self._of_one.get(event.video_id, ())):
                inbox.put(event)

    @asynccontextmanager
    async def subscribe(self, video_id: str | None = None) -> AsyncIterator[Subscription]:
        inbox = _Inbox()
        inboxes = self._of_all if video_id is None else self._of_one.setdefault(video_id, set())
        inboxes.add(inbox)
        try:
            yield inbox
        finally:
            inboxes.discard(inbox)
            if video_id is not None and not inboxes and self._of_one.get(video_id) is inboxes:
                del self._of_one[video_id]


class _Inbox(Subscription):
    def __init__(self) -> None:
        self._events: deque[VideoEvent] = deque(maxlen=_LONGEST_BACKLOG)
        self._filled = asyncio.Event()

    def put(self, event: VideoEvent) -> None:
        self._events.append(event)
        self._filled.set()

    async def next(self) -> tuple[VideoEvent, ...]:
        await self._filled.wait()
        self._filled.clear()
        events = tuple(self._events)
        self._events.clear()
        return events
