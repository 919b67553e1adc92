"""The writer thread: takes all waiting changes, runs them in memory, makes them durable at once."""

import queue
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import duckdb
import structlog
from attrs import field, frozen

from aigen.adapters.duckdb.disk import Disk
from aigen.adapters.duckdb.engine import Database
from aigen.adapters.records.repositories import ShelvedRecords, Shelves
from aigen.adapters.records.shelf import UNREAD, Log, Shelf, Sweep
from aigen.adapters.sql.archive import SqlArchive
from aigen.adapters.sql.rows import Row
from aigen.adapters.sql.tables import TABLES
from aigen.domain.model.errors import AigenError, DatabaseUnavailable, StorageFull
from aigen.ports.store import Records

T = TypeVar("T")
logger = structlog.get_logger()

#: More changes in one commit would make the first of them wait too long.
LARGEST_BATCH = 256

#: Seconds that a batch waits for company if the one before it had a few changes: they come from
#: people who are busy, and each batch wakes two threads and the disk. Many are company enough.
COMPANY_SECONDS = 0.001
A_FEW = range(2, 16)

#: Seconds without work after which the database takes what it has not got; after which it is asked
#: again if it could not; after which the write-ahead log is folded into the file.
BREATH_SECONDS = 0.05
RETRY_SECONDS = 1.0
IDLE_SECONDS = 30.0


@frozen(eq=False)
class Waiting:
    """A change, and the future of what becomes of it."""

    change: Callable[[Records], Any]
    future: Any


def catch_up(_: Records) -> None:
    """The change that changes nothing: it is made when the database has all that is durable."""


class _BehindOthers(Exception):
    """A change asks the database about what others before it may have changed."""


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

    Changes run one after the other, each seeing those before it; the net difference of all is made
    durable at once, in the redo log or in the database; only then is anybody answered. A batch that
    fails is run again change by change, so that each gets its own error. What the database has not
    got yet stays on the shelves.
    """

    def __init__(self, database: Database, publish: Callable[[Committed], None]) -> None:
        self._database = database
        self._publish = publish
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="duckdb-writer", daemon=True)
        self._is_dirty = True
        self._is_dead = False
        self._latest_size = 0
        self._begin()

    def _begin(self) -> None:
        """Put all that is hot on fresh shelves."""
        self._disk = Disk(self._database)
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

    @property
    def is_ahead(self) -> bool:
        """Whether the database lacks something that everybody may know already."""
        return bool(self._disk.debt)

    def stop(self) -> None:
        """Finish what waits, fold both logs into the file, end the thread."""
        self._waiting.put(None)
        self._thread.join()

    # --- the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        is_last = False
        while not is_last:
            batch, is_last = self._take()
            self._latest_size = len(batch)
            if self._is_dead:
                self._revive()
            if changes := [waiting for waiting in batch if waiting.change is not catch_up]:
                self._publish(self._commit(changes))
            if len(changes) < len(batch):
                error = self._settle()
                asked = (waiting.future for waiting in batch if waiting.change is catch_up)
                outcomes = [Outcome(future=future, error=error) for future in asked]
                self._publish(Committed(outcomes=outcomes))
            elif self._disk.is_deep_in_debt or (not batch and self._disk.has_to_settle):
                self._settle()
            elif self._is_dirty and not batch:
                self._checkpoint()
        self._settle()
        self._checkpoint()
        self._disk.close()

    def _take(self) -> tuple[list[Waiting], bool]:
        """All that waits now (nothing, if it was idle), and whether no more will come."""
        batch: list[Waiting] = []
        patience = BREATH_SECONDS if self.is_ahead else IDLE_SECONDS
        try:
            waiting = self._waiting.get(timeout=RETRY_SECONDS if self._disk.is_behind else patience)
            if self._latest_size in A_FEW:
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
                done, rest = batch[: len(outcomes)], batch[len(outcomes) :]
                return _joined([self._flush(done, outcomes), self._commit_at_rest(rest)])
        return self._flush(batch, outcomes)

    def _commit_at_rest(self, batch: list[Waiting]) -> Committed:
        """Commit changes of which the first asks the database, which first has to know all."""
        error = self._settle()
        if error is None:
            return self._commit(batch)
        first = Committed(outcomes=[Outcome(future=batch[0].future, error=error)])
        return _joined([first, self._commit(batch[1:])])

    def _flush(self, batch: list[Waiting], outcomes: list[Outcome]) -> Committed:
        """Make durable what the changes of a batch have done."""
        net = {shelf: changes for shelf, changes in self._log.net().items() if changes}
        sweeps = list(self._log.sweeps)
        try:
            if net or sweeps:
                self._disk.keep(net, sweeps)
                self._is_dirty = True
        except (duckdb.Error, OSError, UnicodeEncodeError) as error:
            self._log.undo(_START)
            self._tidy()
            if len(batch) > 1:
                return _joined([self._commit([waiting]) for waiting in batch])
            return Committed(outcomes=[Outcome(future=batch[0].future, error=self._say(error))])
        self._tidy()
        return Committed(
            values=[
                (shelf.name, key, difference.after)
                for shelf, changes in net.items()
                for key, difference in changes.items()
            ],
            sweeps=[(shelf.name, sweep) for shelf, sweep in sweeps],
            outcomes=outcomes,
        )

    def _settle(self) -> Exception | None:
        """Have the database take what it has not got; what to tell whoever waits for that."""
        try:
            self._disk.settle()
        except (duckdb.Error, OSError) as error:
            return self._say(error)
        self._is_dirty = True
        self._tidy()
        return None

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

    def _tidy(self) -> None:
        """Empty the log, and put away what the database has and what need not stay in memory."""
        debt, settled = self._disk.debt, self._disk.settled
        self._log.clear(keep=debt)
        self._visitors += ((shelf, key) for shelf, changes in settled.items() for key in changes)
        for shelf, key in self._visitors:
            if key not in debt.get(shelf, ()):
                self._put_away(shelf, key)
        self._visitors.clear()
        settled.clear()

    def _put_away(self, shelf: Shelf[Any, Any], key: Hashable) -> None:
        value = shelf.peek(key)
        if value is None or not TABLES[shelf.name].is_resident(value):
            shelf.place(key, UNREAD)

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
        if self._start != _START or self.is_ahead:
            raise _BehindOthers
        return self._ask(sql, parameters)

    # --- trouble ----------------------------------------------------------------------------

    def _say(self, error: Exception) -> Exception:
        """What whoever waits is told. A violated constraint is our own bug and stays as it is, and
        so does a text that is none."""
        if isinstance(error, (duckdb.ConstraintException, UnicodeEncodeError)):
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
            self._disk.close()
            self._database.reopen()
            self._begin()
        except (duckdb.Error, OSError, AigenError) as error:
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
