"""The store in memory: one set of shelves that has everything."""

from collections.abc import Callable
from typing import Any, TypeVar

from aigen.adapters.memory.archive import MemoryArchive
from aigen.adapters.records.repositories import ShelvedRecords, Shelves
from aigen.adapters.records.shelf import Log, Shelf
from aigen.ports.store import Records, Store

T = TypeVar("T")


class MemoryStore(Store):
    """Atomic because nothing else runs meanwhile; as durable as the process."""

    def __init__(self) -> None:
        self._log = Log()
        shelves = Shelves(self._shelf)
        self._records = ShelvedRecords(shelves, MemoryArchive(shelves))

    def _shelf(self, name: str, key_of: Any) -> Shelf[Any, Any]:
        return Shelf(name, key_of, self._log)

    async def read(self, look: Callable[[Records], T]) -> T:
        return look(self._records)

    async def write(self, change: Callable[[Records], T]) -> T:
        start = self._log.mark()
        try:
            return change(self._records)
        except BaseException:
            self._log.undo(start)
            raise
        finally:
            self._log.clear()
