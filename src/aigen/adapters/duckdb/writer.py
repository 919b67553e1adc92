"""The writer thread: takes all waiting changes, runs them in memory, commits them at once."""

import queue
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import duckdb
import structlog
from attrs import field, frozen

from aigen.adapters.duckdb.engine import Database
from aigen.adapters.duckdb.flush import Flusher
from aigen.adapters.records.repositories import ShelvedRecords, Shelves
from aigen.adapters.records.shelf import UNREAD, Log, Net, Shelf, Sweep
from aigen.adapters.sql.archive import SqlArchive
from aigen.adapters.sql.rows import Row
from aigen.adapters.sql.tables import TABLES
from aigen.domain.model.errors import AigenError, DatabaseUnavailable, StorageFull
from aigen.ports.store import Records

T = TypeVar("T")
logger = structlog.get_logger()

#: More changes in one commit would make the first of them wait too long.
LARGEST_BATCH = 256

#: A change waits so many seconds for others to share its commit, if the one before was shared and
#: fewer than so many wait: what a commit costs hardly depends on how many it is for.
COMPANY_SECONDS = 0.002
FULL_BATCH = 32

#: Seconds without work after which the write-ahead log is folded into the file.
IDLE_SECONDS = 30.0


@frozen(eq=False)
class Waiting:
    """A change, and the future of what becomes of it."""

    change: Callable[[Records], Any]
    future: Any


class _BehindOthers(Exception):
    """A change asks the database about what others before it in the batch may have changed."""


@frozen(kw_only=True)
class Outcome:
    """What became of a change, to be told once it is committed."""

    future: Any
    value: Any = None
    error: Exception | None = None


@frozen(kw_only=True)
class Committed:
    """What a commit changed: (table, key, value or None), and the sweeps that it carried out.
    With `is_everything`, the values are all that is hot and replace whatever was known."""

    values: list[tuple[str, Hashable, Any]] = field(factory=list)
    sweeps: list[tuple[str, Sweep[Any]]] = field(factory=list)
    outcomes: list[Outcome] = field(factory=list)
    is_everything: bool = False


class Writer:
    """Owns the connection that writes, and the newest state of everything that is hot.

    Changes run one after the other, each seeing those before it; the net difference of all goes
    to the database in one transaction; only then is anybody answered. A batch that fails is run
    again change by change, so that each gets its own error.
    """

    def __init__(self, database: Database, publish: Callable[[Committed], None]) -> None:
        self._database = database
        self._publish = publish
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="duckdb-writer", daemon=True)
        self._is_dirty = True
        self._is_dead = False
        self._has_company = False
        self._begin()

    def _begin(self) -> None:
        """Put all that is hot on fresh shelves."""
        self._flusher = Flusher(self._database.writing)
        self._log = Log()
        self._visitors: list[tuple[Shelf[Any, Any], Hashable]] = []
        self._start = _START
        self._archive = SqlArchive(self._ask)
        self._shelves = Shelves(
            lambda name, key_of: Shelf(
                name, key_of, self._log, None if TABLES[name].has_all_resident else self._fetch
            )
        )
        self._records = ShelvedRecords(self._shelves, SqlArchive(self._ask_at_rest))
        for name, shelf in self._shelves.all().items():
            for value in self._archive.resident(TABLES[name]):
                shelf.place(shelf.key_of(value), value)

    def resident(self) -> Committed:
        """Everything that is hot, for a reader that starts with nothing."""
        return Committed(
            values=[
                (name, shelf.key_of(value), value)
                for name, shelf in self._shelves.all().items()
                for value in shelf
            ],
            is_everything=True,
        )

    # --- from other threads -----------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def submit(self, waiting: Waiting) -> None:
        self._waiting.put(waiting)

    def backlog(self) -> int:
        return self._waiting.qsize()

    def stop(self) -> None:
        """Finish what waits, fold the log into the file, end the thread."""
        self._waiting.put(None)
        self._thread.join()

    # --- the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        is_last = False
        while not is_last:
            batch, is_last = self._take()
            self._has_company = len(batch) > 1
            if self._is_dead:
                self._revive()
            if batch:
                self._publish(self._commit(batch))
            elif self._is_dirty:
                self._checkpoint()
        self._checkpoint()
        self._flusher.close()

    def _take(self) -> tuple[list[Waiting], bool]:
        """All that waits now (nothing, if it was idle), and whether no more will come."""
        batch: list[Waiting] = []
        try:
            waiting = self._waiting.get(timeout=IDLE_SECONDS)
            if self._has_company and self._waiting.qsize() < FULL_BATCH:
                time.sleep(COMPANY_SECONDS)
            while waiting is not None and len(batch) < LARGEST_BATCH - 1:
                batch.append(waiting)
                waiting = self._waiting.get_nowait()
        except queue.Empty:
            return batch, False
        if waiting is None:
            return batch, True
        return [*batch, waiting], False

    def _commit(self, batch: list[Waiting]) -> Committed:
        outcomes: list[Outcome] = []
        for waiting in batch:
            try:
                outcomes.append(self._attempt(waiting))
            except _BehindOthers:
                done = len(outcomes)
                return _joined([self._flush(batch[:done], outcomes), self._commit(batch[done:])])
        return self._flush(batch, outcomes)

    def _flush(self, batch: list[Waiting], outcomes: list[Outcome]) -> Committed:
        """Commit what the changes of a batch have done."""
        net = {shelf: changes for shelf, changes in self._log.net().items() if changes}
        sweeps = list(self._log.sweeps)
        try:
            if net or sweeps:
                self._flusher.flush(net, sweeps)
                self._is_dirty = True
        except duckdb.Error as error:
            self._log.undo(_START)
            self._tidy({})
            if len(batch) > 1:
                return _joined([self._commit([waiting]) for waiting in batch])
            return Committed(outcomes=[Outcome(future=batch[0].future, error=self._say(error))])
        self._tidy(net)
        return Committed(
            values=[
                (shelf.name, key, difference.after)
                for shelf, changes in net.items()
                for key, difference in changes.items()
            ],
            sweeps=[(shelf.name, sweep) for shelf, sweep in sweeps],
            outcomes=outcomes,
        )

    def _attempt(self, waiting: Waiting) -> Outcome:
        self._start = start = self._log.mark()
        try:
            return Outcome(future=waiting.future, value=waiting.change(self._records))
        except _BehindOthers:
            self._log.undo(start)
            raise
        except duckdb.Error as error:
            self._log.undo(start)
            return Outcome(future=waiting.future, error=self._say(error))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked for the change
            self._log.undo(start)
            return Outcome(future=waiting.future, error=error)

    def _tidy(self, net: Net) -> None:
        """Empty the log, and put away what need not stay in memory."""
        for shelf, changes in net.items():
            is_resident = TABLES[shelf.name].is_resident
            for key, change in changes.items():
                if change.after is None or not is_resident(change.after):
                    shelf.place(key, UNREAD)
        for shelf, key in self._visitors:
            value = shelf.peek(key)
            if value is None or not TABLES[shelf.name].is_resident(value):
                shelf.place(key, UNREAD)
        self._visitors.clear()
        self._log.clear()

    def _fetch(self, shelf: Shelf[Any, Any], keys: tuple[Hashable, ...]) -> Sequence[Any]:
        """Read rows that are not in memory; they stay on the shelf until the batch is over."""
        found = self._archive.get(TABLES[shelf.name], keys)
        values = [value for value in found if not shelf.is_swept(value)]
        shelf.know(keys, values)
        self._visitors += ((shelf, key) for key in keys)
        return values

    def _ask(self, sql: str, parameters: tuple[object, ...] = (), /) -> Sequence[Row]:
        return self._database.writing.execute(sql, parameters).fetchall()

    def _ask_at_rest(self, sql: str, parameters: tuple[object, ...] = (), /) -> Sequence[Row]:
        """Lists and sums come from the database, so what others have changed must be in it."""
        if self._start != _START:
            raise _BehindOthers
        return self._ask(sql, parameters)

    # --- trouble ----------------------------------------------------------------------------

    def _say(self, error: duckdb.Error) -> Exception:
        """What whoever waits is told. A violated constraint is our own bug and stays as it is."""
        if isinstance(error, duckdb.ConstraintException):
            return error
        logger.error("database_failed", error=str(error))
        if isinstance(error, duckdb.FatalException) or "invalidated" in str(error):
            self._is_dead = True
        said: AigenError = DatabaseUnavailable()
        if "No space left on device" in str(error):
            said = StorageFull()
        said.__cause__ = error
        return said

    def _revive(self) -> None:
        """DuckDB gives up on an instance after a fatal error: open the file anew."""
        try:
            self._flusher.close()
            self._database.reopen()
            self._begin()
        except (duckdb.Error, AigenError) as error:
            logger.error("database_still_away", error=str(error))
        else:
            self._is_dead = False
            self._publish(self.resident())

    def _checkpoint(self) -> None:
        try:
            self._database.writing.execute("CHECKPOINT")
        except duckdb.Error as error:
            # A reader that holds old versions forbids it; the log just stays a little longer.
            logger.debug("checkpoint_postponed", error=str(error))
        else:
            self._is_dirty = False


_START = Log().mark()


def _joined(parts: list[Committed]) -> Committed:
    return Committed(
        values=[value for part in parts for value in part.values],
        sweeps=[sweep for part in parts for sweep in part.sweeps],
        outcomes=[outcome for part in parts for outcome in part.outcomes],
    )
