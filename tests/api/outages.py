"""Parts of an installation that fail when they are told to."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from aigen.domain.model.errors import DatabaseUnavailable
from aigen.ports.store import Records
from aigen.testing import MemoryStore

T = TypeVar("T")


class FlakyStore(MemoryStore):
    """A database that can be away, hang, or fail in a way that nobody has thought of."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.lets_go = asyncio.Event()
        self.lets_go.set()
        self.bug: Exception | None = None

    async def read(self, look: Callable[[Records], T]) -> T:
        await self._be_moody()
        return await super().read(look)

    async def write(self, change: Callable[[Records], T]) -> T:
        await self._be_moody()
        return await super().write(change)

    async def _be_moody(self) -> None:
        if self.is_away:
            raise DatabaseUnavailable
        if self.bug is not None:
            raise self.bug
        await self.lets_go.wait()
