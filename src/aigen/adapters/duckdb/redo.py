"""The redo log: what is durable already and reaches the database later, many changes at a time."""

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
from attrs import field, frozen

from aigen.adapters.duckdb.flush import VIEWS
from aigen.adapters.records.shelf import Net
from aigen.adapters.sql.tables import TABLES


class RedoDamaged(Exception):
    """The log has a line that is not what was written; the text says which."""


class RedoLog:
    """A line for each batch of changes: a checksum, and for each table whole rows as they are now
    and the keys of rows that are gone. Repeating all lines in their order, once or often, gives the
    same rows, so nothing needs to be noted about how far the database has come."""

    def __init__(self, file: Path) -> None:
        is_new = not file.exists()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = file
        self._descriptor = os.open(file, flags, mode=0o600)
        self._size = os.fstat(self._descriptor).st_size
        self._is_torn = False
        if is_new:
            _sync_folder(file.parent)

    @property
    def is_empty(self) -> bool:
        return self._size == 0

    def append(self, net: Net) -> None:
        """Make these changes durable; raises OSError, or UnicodeEncodeError for a text that no
        database takes, and nothing is kept."""
        line = _line(_Batch.of(net).tables)
        if self._is_torn:
            self._mend()
        self._is_torn = True
        try:
            written = 0
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
            os.fdatasync(self._descriptor)
        except OSError:
            self._mend()
            raise
        self._is_torn = False
        self._size += len(line)

    def _mend(self) -> None:
        """Cut off what was not promised: half a line would make those after it unreadable, and a
        whole one would be repeated though its changes were refused."""
        os.ftruncate(self._descriptor, self._size)
        self._is_torn = False

    def clear(self) -> None:
        """Forget all, durably, since the database has it. Raises OSError."""
        os.ftruncate(self._descriptor, 0)
        os.fdatasync(self._descriptor)
        self._size = 0

    def close(self) -> None:
        """Let go of the file, which is removed if it holds nothing. May be called again."""
        if self._descriptor >= 0:
            if self.is_empty:
                self._file.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1


def repeat(file: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Bring a database up to what its redo log says, as a crash may have left it, and empty the
    log. Raises RedoDamaged, duckdb.Error and OSError."""
    if not file.exists() or file.stat().st_size == 0:
        return
    connection.begin()
    try:
        for name, table in _newest(file).items():
            _repeat(connection, name, table)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    log = RedoLog(file)
    log.clear()
    log.close()


@frozen
class _Batch:
    """What a line says: for each table its columns, its key, rows as they are, keys of no row."""

    tables: dict[str, dict[str, Any]] = field(factory=dict)

    @classmethod
    def of(cls, net: Net) -> "_Batch":
        batch = cls()
        for shelf, changes in net.items():
            if shelf.name in VIEWS:
                continue
            table = TABLES[shelf.name]
            left = [change.after for change in changes.values() if change.after is not None]
            gone = [change.before for change in changes.values() if change.after is None]
            batch.tables[table.name] = {
                "columns": table.names,
                "key": table.key,
                "rows": table.rows(left, table.all_places),
                "gone": table.rows((value for value in gone if value), table.key_places),
            }
        return batch


def _line(content: object) -> bytes:
    # Databases read times, amounts and ids from their text. Nothing is escaped, so that half a
    # character fails here and not in the database, when it is too late.
    text = json.dumps(content, default=str, ensure_ascii=False, separators=(",", ":"))
    data = text.encode()
    return b"%08x %s\n" % (zlib.crc32(data), data)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """What was promised. A crash can leave half a line at the end; that was never promised."""
    *lines, _ = file.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        checksum, _, data = line.partition(b" ")
        if checksum != b"%08x" % zlib.crc32(data):
            if number == len(lines):
                return
            raise RedoDamaged(f"line {number} of {len(lines)} is not what was written")
        yield json.loads(data)


@frozen
class _Newest:
    """The last that a log says of each row of a table; None if it is gone."""

    columns: tuple[str, ...]
    key: tuple[str, ...]
    rows: dict[tuple[Any, ...], Sequence[Any] | None] = field(factory=dict)


def _newest(file: Path) -> dict[str, _Newest]:
    found: dict[str, _Newest] = {}
    for line in _lines(file):
        for name, said in line.items():
            columns, key = tuple(said["columns"]), tuple(said["key"])
            table = found.setdefault(name, _Newest(columns, key))
            places = [columns.index(column) for column in key]
            table.rows.update({tuple(gone): None for gone in said["gone"]})
            table.rows.update({tuple(row[place] for place in places): row for row in said["rows"]})
    return found


def _repeat(connection: duckdb.DuckDBPyConnection, name: str, table: _Newest) -> None:
    """Replace the rows; what DuckDB reads as text, it turns into the column's type."""
    where = " AND ".join(f"{column} = ?" for column in table.key)
    rows = [row for row in table.rows.values() if row is not None]
    connection.executemany(f"DELETE FROM {name} WHERE {where}", list(table.rows))  # noqa: S608
    if rows:
        places = ", ".join("?" * len(table.columns))
        columns = ", ".join(table.columns)
        connection.executemany(f"INSERT INTO {name} ({columns}) VALUES ({places})", rows)  # noqa: S608


def _sync_folder(folder: Path) -> None:
    """Without it, a file made just before a power cut may be gone after it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
