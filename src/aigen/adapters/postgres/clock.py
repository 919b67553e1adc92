"""The database's time, so that processes agree on it whatever their machines' clocks say."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from aigen.adapters.postgres.database import Connection, Database
from aigen.domain.model.errors import AigenError
from aigen.ports.clock import Clock

#: Clocks of computers drift by less than a millisecond in this time.
_SECONDS_BETWEEN_LOOKS = 20.0

_LOOKS_AT_A_TIME = 3


def seconds_since_boot() -> float:
    """A clock that nobody sets; where there is one, it also counts while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class DatabaseClock(Clock):
    """Looks at the database's clock now and then, and counts from there by `elapsed`."""

    def __init__(
        self, database: Database, *, elapsed: Callable[[], float] = seconds_since_boot
    ) -> None:
        self._database = database
        self._elapsed = elapsed
        self._began_at = datetime.now(UTC) - timedelta(seconds=elapsed())
        self._looking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Look for the first time, and go on looking. Raises DatabaseUnavailable."""
        await self.look()
        self._looking = asyncio.create_task(self._keep_looking())

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=self._elapsed())

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(max(0.0, duration.total_seconds()))

    async def look(self) -> None:
        """Set this clock by the database's. Raises DatabaseUnavailable."""
        self._began_at = await self._database.run(self._compared)

    def _compared(self, connection: Connection) -> datetime:
        """The database's time at which `elapsed` was zero, by the quickest of some answers: it
        was given half-way between question and answer."""
        looks: list[tuple[float, datetime]] = []
        for _ in range(_LOOKS_AT_A_TIME):
            asked = self._elapsed()
            ((said,),) = connection.execute("SELECT clock_timestamp()").fetchall()
            answered = self._elapsed()
            half_way = timedelta(seconds=(asked + answered) / 2)
            looks.append((answered - asked, said.astimezone(UTC) - half_way))
        _, began_at = min(looks)
        return began_at

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            with suppress(AigenError):
                await self.look()
