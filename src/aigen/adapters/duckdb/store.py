"""The store on DuckDB, as the event loop sees it: exact in memory, durable on disk."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import structlog
from attrs import define, field, frozen

from aigen.adapters.duckdb.backup import copy_to
from aigen.adapters.duckdb.engine import Database
from aigen.adapters.duckdb.migrations import migrate
from aigen.adapters.duckdb.writer import Committed, Waiting, Writer, catch_up
from aigen.adapters.records.repositories import ShelvedRecords, Shelves
from aigen.adapters.records.shelf import UNREAD, Log, Shelf
from aigen.adapters.sql.archive import SqlArchive
from aigen.adapters.sql.migrations import Migration
from aigen.adapters.sql.moves import must_not_be_left
from aigen.adapters.sql.rows import Row, Table
from aigen.adapters.sql.tables import TABLES
from aigen.domain.model.errors import Busy, DatabaseUnavailable
from aigen.ports.store import Records, Store

T = TypeVar("T")
logger = structlog.get_logger()

#: Changes that may wait for the writer; more would wait for seconds, so they are refused.
LONGEST_BACKLOG = 20_000

#: Finished jobs and pictures of which somebody may be watching the status; others are read anew.
RECENT = {"generated_videos": 4096, "generated_images": 512, "sessions": 1024}


@frozen
class _Question:
    sql: str
    parameters: tuple[object, ...]


class _Cold(Exception):
    """A look needs what is not in memory."""

    def __init__(self, question: _Question) -> None:
        super().__init__(question.sql)
        self.question = question


@define
class _Look:
    """One look's answers so far. `is_current` while no commit has come between."""

    answers: dict[_Question, Sequence[Row]] = field(factory=dict)
    generation: int = 0


class DuckdbStore(Store):
    """Reads run on the event loop, on the state of the last commit: what is hot takes no SQL and
    no other thread. A look that needs more is stopped, the database asked in a reader thread, and
    the look run again with the answer. Writes go to the writer thread.

    A database that an installation has left for another one is opened only if `even_left`."""

    def __init__(self, file: Path, *, even_left: bool = False) -> None:
        self.file = file
        self._even_left = even_left
        self._is_open = False
        #: How often the database had to be asked for a look, since it was opened.
        self.cold_reads = 0
        self._generation = 0
        self._look = _Look()
        self._forget_everything()

    def _forget_everything(self) -> None:
        self._recent = {name: _Recent(size) for name, size in RECENT.items()}
        self._archive = SqlArchive(self._ask)
        # Nothing is ever put on these shelves by a look, so their log stays empty.
        log = Log()
        self._shelves = Shelves(
            lambda name, key_of: Shelf(
                name, key_of, log, None if TABLES[name].has_all_resident else self._fetch
            )
        )
        self._records = ShelvedRecords(self._shelves, self._archive)
        self._by_name = self._shelves.all()

    # --- life -------------------------------------------------------------------------------

    async def open(self) -> list[Migration]:
        """Open the file, bring its schema up to date, read what is hot; what was migrated.

        Raises DatabaseLocked, DatabaseDamaged, DatabaseTooNew, InstallationClosed or CannotStart.
        """
        self._loop = asyncio.get_running_loop()
        self._database = await asyncio.to_thread(Database, self.file)
        try:
            if not self._even_left:
                must_not_be_left(self._ask_now)
            applied = await asyncio.to_thread(migrate, self._database.writing)
            self._writer = await asyncio.to_thread(
                Writer, self._database, self._publish_from_thread
            )
        except BaseException:
            self._database.close()
            raise
        self._publish(self._writer.resident())
        self._writer.start()
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="duckdb-reader")
        self._is_open = True
        return applied

    async def close(self) -> None:
        """Commit what waits, fold the log into the file and let go of it."""
        if not self._is_open:
            return
        self._is_open = False
        await asyncio.to_thread(self._writer.stop)
        self._readers.shutdown()
        self._database.close()

    # --- the port ---------------------------------------------------------------------------

    async def read(self, look: Callable[[Records], T]) -> T:
        self._must_be_open()
        mine = _Look(generation=self._generation)
        while True:
            self._look = mine
            try:
                return look(self._records)
            except _Cold as cold:
                question = cold.question
            await self._catch_up()
            mine.generation = self._generation
            mine.answers[question] = await self._answer(question)

    async def write(self, change: Callable[[Records], T]) -> T:
        self._must_be_open()
        if self._writer.backlog() >= LONGEST_BACKLOG:
            raise Busy
        future: asyncio.Future[T] = self._loop.create_future()
        self._writer.submit(Waiting(change, future))
        return await future

    # --- for the operator -------------------------------------------------------------------

    async def backup(self, target: Path) -> None:
        """Write what is committed now to a new database file, while work goes on."""
        self._must_be_open()
        await self._catch_up()

        def copy() -> None:
            with self._database.reading() as cursor:
                copy_to(cursor, target)

        await self._loop.run_in_executor(self._readers, copy)

    async def examine(self, table: Table[T], look: Callable[[T], None]) -> int:
        """Show every value of a table to `look`, in a thread; how many there were.

        Raises ValueError, TypeError or KeyError if a row is none.
        """

        def run() -> int:
            count = 0
            for value in SqlArchive(self._ask_now).select(table, "true"):
                look(value)
                count += 1
            return count

        await self._catch_up()
        return await self._loop.run_in_executor(self._readers, run)

    async def _catch_up(self) -> None:
        """Have the database know all that is known here. Raises DatabaseUnavailable."""
        if self._writer.is_ahead:
            future: asyncio.Future[None] = self._loop.create_future()
            self._writer.submit(Waiting(catch_up, future))
            await future

    def _ask_now(self, sql: str, parameters: tuple[object, ...] = (), /) -> Sequence[Row]:
        with self._database.reading() as cursor:
            return cursor.execute(sql, parameters).fetchall()

    def _must_be_open(self) -> None:
        if not self._is_open:
            raise DatabaseUnavailable

    # --- looking ----------------------------------------------------------------------------

    def _fetch(self, shelf: Shelf[Any, Any], keys: tuple[Hashable, ...]) -> list[Any]:
        recent = self._recent.get(shelf.name)
        if recent is None:
            return self._archive.get(TABLES[shelf.name], keys)
        known = {key: value for key in keys if (value := recent.get(key)) is not None}
        unknown = [key for key in keys if key not in known]
        found = self._archive.get(TABLES[shelf.name], unknown) if unknown else []
        # An answer older than the last commit may be out of date: use it, but don't keep it.
        if self._look.generation == self._generation:
            for value in found:
                recent.keep(shelf.key_of(value), value)
        return [*known.values(), *found]

    def _ask(self, sql: str, parameters: tuple[object, ...] = (), /) -> Sequence[Row]:
        question = _Question(sql, parameters)
        answer = self._look.answers.get(question)
        if answer is None:
            raise _Cold(question)
        return answer

    async def _answer(self, question: _Question) -> Sequence[Row]:
        self.cold_reads += 1
        try:
            return await self._loop.run_in_executor(
                self._readers, self._ask_now, question.sql, question.parameters
            )
        except duckdb.Error as error:
            logger.error("database_failed", error=str(error))
            raise DatabaseUnavailable from error

    # --- publishing -------------------------------------------------------------------------

    def _publish_from_thread(self, committed: Committed) -> None:
        # The loop may be gone when a process is torn down around a late commit.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._publish, committed)

    def _publish(self, committed: Committed) -> None:
        """Make a commit visible to all looks at once, then answer those who waited for it."""
        self._generation += 1
        if committed.is_everything:
            self._forget_everything()
        for name, key, value in committed.values:
            self._place(name, key, value)
        for name, sweep in committed.sweeps:
            if name in self._recent:
                self._recent[name].drop_if(sweep.matches)
        for outcome in committed.outcomes:
            if outcome.future.done():  # whoever asked was cancelled
                continue
            if outcome.error is not None:
                outcome.future.set_exception(outcome.error)
            else:
                outcome.future.set_result(outcome.value)

    def _place(self, name: str, key: Hashable, value: Any) -> None:
        shelf, recent = self._by_name[name], self._recent.get(name)
        if value is not None and TABLES[name].is_resident(value):
            shelf.place(key, value)
            value = None
        else:
            shelf.place(key, UNREAD)
        if recent is not None:
            recent.keep(key, value)


class _Recent:
    """The values last seen, up to a number of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def keep(self, key: Hashable, value: Any) -> None:
        """Note a value; None forgets it."""
        self._values.pop(key, None)
        if value is not None:
            self._values[key] = value
            if len(self._values) > self._size:
                self._values.popitem(last=False)

    def drop_if(self, matches: Callable[[Any], bool]) -> None:
        for key in [key for key, value in self._values.items() if matches(value)]:
            del self._values[key]
