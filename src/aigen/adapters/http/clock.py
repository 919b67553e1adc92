"""The house's time for those who work for it elsewhere, whatever their own machine's clock says."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aigen.ports.clock import Clock


class HouseClock(Clock):
    """The time that the house has told last, counted on by a clock that nobody sets; the machine's
    own until then."""

    def __init__(self, *, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self.set(datetime.now(UTC))

    def set(self, told: datetime) -> None:
        """It is this time now in the house."""
        self._began_at = told - timedelta(seconds=self._elapsed())

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=self._elapsed())

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(max(0.0, duration.total_seconds()))
