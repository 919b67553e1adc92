"""The net difference of a change as SQL: one statement for each table and kind of change."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from aigen.adapters.records.shelf import Difference, Log, Shelf
from aigen.adapters.sql.rows import Row, Table, naive
from aigen.adapters.sql.tables import TABLES

Action = Literal["delete", "update", "insert", "put"]
Statement = tuple[str, tuple[object, ...]]

#: Tables and their columns with the types that the database gives them.
Types = Mapping[str, Mapping[str, str]]

TYPES_QUERY = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND c.relnamespace = current_schema::regnamespace
"""


class Flush:
    """Writes changes down; `types` as the database has them."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._texts: dict[tuple[str, Action, tuple[int, ...]], str] = {}

    def statements(self, log: Log) -> Iterator[Statement]:
        """What to execute, in this order."""
        # First: what was put after a sweep has to stay, and what was put before it is not among
        # the changes any more.
        for shelf, sweep in log.sweeps:
            sql = f"DELETE FROM {shelf.name} WHERE {sweep.where}"  # noqa: S608
            yield sql, stored(sweep.parameters)
        unread = log.unread()
        for shelf, keys in unread.items():
            gone = [key for key in keys if shelf.peek(key) is None]
            if gone:
                rows = [key if isinstance(key, tuple) else (key,) for key in gone]
                table = TABLES[shelf.name]
                yield self._statement(table, "delete", table.key_places, rows)
        for shelf, changes in log.net().items():
            yield from self._of_shelf(shelf, changes, unread.get(shelf, set()))

    def _of_shelf(
        self, shelf: Shelf[Any, Any], changes: Mapping[Any, Difference[Any]], unread: set[Any]
    ) -> Iterator[Statement]:
        table = TABLES[shelf.name]
        gone, new, put, replaced = [], [], [], []
        columns: set[int] = set()
        for key, change in changes.items():
            if change.after is None:
                gone.append(change.before)
            elif key in unread:
                put.append(change.after)
            elif change.before is None or shelf.is_swept(change.before):
                new.append(change.after)
            elif differing := table.changed(change.before, change.after):
                replaced.append(change.after)
                columns.update(differing)
        kinds: tuple[tuple[Action, tuple[int, ...], list[Any]], ...] = (
            ("delete", table.key_places, gone),
            ("update", (*table.key_places, *sorted(columns)), replaced),
            ("insert", table.all_places, new),
            ("put", table.all_places, put),
        )
        for action, places, values in kinds:
            if values:
                yield self._statement(table, action, places, table.rows(values, places))

    def _statement(
        self, table: Table[Any], action: Action, places: tuple[int, ...], rows: Sequence[Row]
    ) -> Statement:
        """An array for each column, so that the text depends on the columns alone."""
        kind = (table.name, action, places)
        text = self._texts.get(kind)
        if text is None:
            text = self._texts[kind] = self._text(table, action, places)
        return text, tuple(map(list, zip(*rows, strict=True)))

    def _text(self, table: Table[Any], action: Action, places: tuple[int, ...]) -> str:
        names = [table.names[place] for place in places]
        types = self._types[table.name]
        arrays = ", ".join(f"${n}::{types[column]}[]" for n, column in enumerate(names, 1))
        given = f"unnest({arrays}) AS given ({', '.join(names)})"
        is_same = " AND ".join(f"kept.{column} = given.{column}" for column in table.key)
        others = [column for column in names if column not in table.key]
        if action == "delete":
            return f"DELETE FROM {table.name} AS kept USING {given} WHERE {is_same}"  # noqa: S608
        if action == "update":
            changes = ", ".join(f"{column} = given.{column}" for column in others)
            return f"UPDATE {table.name} AS kept SET {changes} FROM {given} WHERE {is_same}"  # noqa: S608
        insert = f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM {given}"  # noqa: S608
        if action == "insert":
            return insert
        # Whoever puts a value without having read it replaces what is there.
        changes = ", ".join(f"{column} = excluded.{column}" for column in others)
        instead = f"UPDATE SET {changes}" if changes else "NOTHING"
        return f"{insert} ON CONFLICT ({', '.join(table.key)}) DO {instead}"


def stored(parameters: Iterable[object]) -> tuple[object, ...]:
    """Parameters as the columns have them that they are compared with: an index over times
    without a zone is of no use for one with a zone."""
    return tuple(naive(p) if isinstance(p, datetime) else p for p in parameters)
