"""The embedded database as it is left for another one: closed, and only read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from aigen.adapters.duckdb.engine import connect
from aigen.adapters.duckdb.migrations import known
from aigen.adapters.sql.migrations import missing
from aigen.adapters.sql.moves import Door
from aigen.adapters.sql.rows import ID, Row, Table
from aigen.domain.model.errors import DatabaseUnavailable

_APPLIED = "SELECT number, checksum FROM migrations"

#: As many as DuckDB makes at a time.
_ROWS_AT_ONCE = 2048


class Departure:
    """`door` is the file's."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.door = Door(self._ask, self._at_once)

    def has_our_schema(self) -> bool:
        """Whether every migration of ours was applied. Raises DatabaseTooNew, DatabaseDamaged."""
        applied = self._connection.execute(_APPLIED).fetchall()
        return not missing(dict(applied), known())

    def count(self, table: Table[Any]) -> int:
        ((count,),) = self._ask(f"SELECT count(*) FROM {table.name}")  # noqa: S608
        return int(count)

    def rows(self, table: Table[Any]) -> Iterator[Row]:
        """All rows, as they lie; few of them are in memory at a time."""
        names = (
            f"CAST({column.name} AS VARCHAR)" if column.codec is ID else column.name
            for column in table.columns
        )
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(names)} FROM {table.name}")  # noqa: S608
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                yield from rows

    def _ask(self, sql: str, parameters: tuple[object, ...] = (), /) -> Sequence[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        self._connection.begin()
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()
        # Into the file itself: a copy of it without its log must be closed, too.
        self._connection.execute("CHECKPOINT")


@contextmanager
def departure_from(file: Path) -> Iterator[Departure]:
    """The database, which nobody else can open during the block, whether it is closed or not.

    Raises DatabaseLocked, DatabaseDamaged and CannotStart; DatabaseUnavailable for what goes wrong
    in the block.
    """
    connection = connect(file)
    try:
        yield Departure(connection)
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        raise DatabaseUnavailable(f"The database {file} failed: {reason}.") from error
    finally:
        connection.close()
