"""Writing the net difference of a batch: one statement for each table and kind of change."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Literal

import duckdb

from aigen.adapters.records.shelf import Difference, Net, Shelf, Sweep
from aigen.adapters.sql.rows import Table
from aigen.adapters.sql.tables import TABLES, TALLIES

#: Views of other tables: the process that owns the database keeps them exact in memory.
VIEWS = frozenset({TALLIES.name})

Action = Literal["insert", "update", "delete"]


class Flusher:
    """Writes through DuckDB's appenders, which apply many rows with one statement each and need
    no SQL to be parsed. They are kept, since making one costs a third of a small flush."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._appenders: dict[tuple[str, Action, tuple[int, ...]], duckdb.Appender] = {}

    def flush(self, net: Net, sweeps: Sequence[tuple[Shelf[Any, Any], Sweep[Any]]]) -> None:
        """Write and commit these changes; raises duckdb.Error, and nothing is written."""
        self._connection.begin()
        try:
            # First: what was put after a sweep has to stay, and what was put before it is not
            # among the changes any more.
            for shelf, sweep in sweeps:
                self._connection.execute(
                    f"DELETE FROM {shelf.name} WHERE {sweep.where}",  # noqa: S608
                    sweep.parameters,
                )
            for shelf, changes in net.items():
                if shelf.name not in VIEWS:
                    swept = [sweep for swept, sweep in sweeps if swept is shelf]
                    self._write(TABLES[shelf.name], changes.values(), swept)
            self._connection.commit()
        except duckdb.Error:
            self.close()
            # A commit that fails has already ended its transaction.
            with suppress(duckdb.TransactionException):
                self._connection.rollback()
            raise

    def close(self) -> None:
        """Drop all appenders and what they still hold."""
        for appender in self._appenders.values():
            appender.clear()
            appender.__exit__(None, None, None)
        self._appenders.clear()

    def _write(
        self,
        table: Table[Any],
        changes: Iterable[Difference[Any]],
        sweeps: Sequence[Sweep[Any]],
    ) -> None:
        gone, new, replaced = [], [], []
        columns: set[int] = set()
        for change in changes:
            if change.after is None:
                gone += [] if change.before is None else [change.before]  # None: it came and went
            elif change.before is None or any(sweep.matches(change.before) for sweep in sweeps):
                new.append(change.after)
            elif differing := table.changed(change.before, change.after):
                replaced.append(change.after)
                columns.update(differing)
        # Deletions first: a key may go and a value with its unique property come in one batch.
        self._append(table, "delete", table.key_places, gone)
        self._append(table, "update", (*table.key_places, *sorted(columns)), replaced)
        self._append(table, "insert", table.all_places, new)

    def _append(
        self, table: Table[Any], action: Action, places: tuple[int, ...], values: list[Any]
    ) -> None:
        if not values:
            return
        appender = self._appenders.get((table.name, action, places))
        if appender is None:
            appender = self._make(table, action, places)
            self._appenders[table.name, action, places] = appender
        appender.append_rows(table.rows(values, places))
        appender.flush()

    def _make(self, table: Table[Any], action: Action, places: tuple[int, ...]) -> duckdb.Appender:
        key = list(table.key)
        if action == "delete":
            return self._connection.appender(table.name, action=action, key=key)
        names = [table.names[place] for place in places]
        if action == "insert":
            return self._connection.appender(table.name, columns=names, action=action)
        return self._connection.appender(table.name, columns=names, action=action, key=key)
