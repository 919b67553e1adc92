"""A clock that stands still until it is told to move."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

from aigen.ports.clock import Clock

#: After a step, tasks get so many turns of the event loop to do what the new time asks of them.
_TURNS = 50


class ManualClock(Clock):
    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self._order = count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, duration: timedelta) -> None:
        if duration <= timedelta(0):
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + duration, next(self._order), woken))
        await woken

    def set(self, now: datetime) -> None:
        """Move to an instant, also backwards, without waking anybody who sleeps beyond it."""
        self._now = now
        while self._sleepers and self._sleepers[0][0] <= now:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)

    async def advance(self, duration: timedelta | float) -> None:
        """Let time pass, in seconds if a number; whoever sleeps until then wakes in order."""
        step = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
        until = self._now + step
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            self.set(self._sleepers[0][0])
            await self.settle()
        self.set(until)
        await self.settle()

    @staticmethod
    async def settle() -> None:
        """Let all tasks run that can run now."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
