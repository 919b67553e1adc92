"""How changes become durable: in the database at once, or in the redo log first."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import structlog

from aigen.adapters.duckdb.engine import Database, redo_of
from aigen.adapters.duckdb.flush import VIEWS, Flusher
from aigen.adapters.duckdb.redo import RedoLog
from aigen.adapters.records.shelf import Difference, Net, Shelf, Sweep

logger = structlog.get_logger()

#: Tables in which more than the key is unique. Only the database can tell whether a change breaks
#: that, so it has to be asked before anybody is answered.
CHECKED = frozenset({"users", "api_keys"})

#: So many rows in one batch are worth a transaction of their own: writing each twice costs more.
WORTH_A_COMMIT = 100

#: So many rows at most wait for the database, which then takes them in some milliseconds.
LARGEST_DEBT = 512

#: What DuckDB says of a row that no attempt will make it take.
_REFUSALS = (duckdb.IntegrityError, duckdb.DataError, duckdb.ProgrammingError)


class Disk:
    """A small change costs DuckDB as much as a hundred, so small changes go to the redo log, and
    to the database when there are many of them, when it is asked a question, or in a quiet moment.
    `debt` is what it has not got by then, `settled` what it has got since somebody last looked."""

    def __init__(self, database: Database) -> None:
        self._file = database.file
        self._flusher = Flusher(database.writing)
        self._redo = RedoLog(redo_of(database.file))
        self._is_behind = False
        self.debt: Net = {}
        self.settled: Net = {}

    @property
    def is_behind(self) -> bool:
        """Whether the database could not take what it should have."""
        return self._is_behind

    @property
    def has_to_settle(self) -> bool:
        return bool(self.debt) or self._is_behind

    @property
    def is_deep_in_debt(self) -> bool:
        return sum(map(len, self.debt.values())) >= LARGEST_DEBT

    def keep(self, net: Net, sweeps: Sequence[tuple[Shelf[Any, Any], Sweep[Any]]]) -> None:
        """Make changes durable. Raises duckdb.Error, OSError or UnicodeEncodeError, and nothing is
        kept."""
        is_large = sum(map(len, net.values())) >= WORTH_A_COMMIT
        is_checked = any(shelf.name in CHECKED for shelf in net)
        is_direct = is_large or is_checked or bool(sweeps)
        if is_direct or self._is_behind:
            self.settle()
        if is_direct:
            self._flusher.flush(net, sweeps)
            _add(net, self.settled)
        else:
            self._redo.append(net)
            _add(net, self.debt)

    def settle(self) -> None:
        """Have the database take all that is owed to it. Raises duckdb.Error or OSError."""
        try:
            if self.debt:
                self._pay()
                _add(self.debt, self.settled)
                self.debt = {}
            if not self._redo.is_empty:
                self._redo.clear()
        except (duckdb.Error, OSError):
            self._is_behind = True
            raise
        self._is_behind = False

    def close(self) -> None:
        self._flusher.close()
        self._redo.close()

    def _pay(self) -> None:
        try:
            self._flusher.flush(self.debt, ())
        except _REFUSALS:
            # Everybody was answered, so nobody can be told that one of them is impossible.
            for shelf, changes in self.debt.items():
                for key, change in changes.items():
                    self._pay_one({shelf: {key: change}})

    def _pay_one(self, net: Net) -> None:
        try:
            self._flusher.flush(net, ())
        except _REFUSALS as error:
            refused = RedoLog(refused_of(self._file))
            refused.append(net)
            refused.close()
            logger.error("row_refused", kept_in=refused_of(self._file).name, error=str(error))


def refused_of(file: Path) -> Path:
    """Where rows are kept that the database refuses, which would be a mistake of ours."""
    return file.with_name(file.name + ".refused")


def _add(later: Net, net: Net) -> None:
    """Make a net difference one of later changes, too."""
    for shelf, changes in later.items():
        if shelf.name in VIEWS:
            continue
        earlier = net.setdefault(shelf, {})
        both = {
            key: Difference(before=earlier[key].before, after=change.after)
            for key, change in changes.items()
            if key in earlier
        }
        earlier.update(changes | both)
