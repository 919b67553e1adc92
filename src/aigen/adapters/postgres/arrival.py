"""A PostgreSQL database into which an installation moves: closed until everything is there."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from aigen.adapters.postgres.database import Connection, Database
from aigen.adapters.postgres.migrations import is_up_to_date, migrate, one_at_a_time
from aigen.adapters.sql.moves import Door, Move
from aigen.adapters.sql.rows import Row, Table
from aigen.adapters.sql.tables import TABLES
from aigen.domain.model.errors import CannotStart, DatabaseUnavailable, InstallationRunning

#: Held as long as the connection lives, so that what a killed run has sent is over before the
#: next one looks. The numbers say "move".
_LOCK = 0x6D6F7665

#: Copying takes what it takes. By this name it is not mistaken for an installation at work.
_SETTINGS = """
SELECT set_config('application_name', 'aigen db migrate-to', false),
    set_config('statement_timeout', '0', false),
    set_config('idle_in_transaction_session_timeout', '0', false)
"""

_AT_WORK = """
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'aigen' LIMIT 1
"""

_TABLES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
"""

_ROWS_AT_ONCE = 2000


class Arrival:
    """`door` is the database's; `address` is what people call it, without its password."""

    def __init__(self, connection: Connection, address: str) -> None:
        self._connection = connection
        self._address = address
        self.door = Door(self._ask, connection.transaction)

    def admit(self, move: Move) -> None:
        """Make the schema, so that this move can begin here, unless it has begun before.

        Raises CannotStart and InstallationRunning if it must not.
        """
        begun = self.door.move()
        if begun is None:
            self._must_be_empty()
            migrate(self._connection)
        elif begun.id != move.id:
            raise CannotStart(
                f"{self._address} was closed by another move, from {begun.origin}: if that was "
                "given up, make the database anew, else choose another one."
            )
        elif not is_up_to_date(self._connection):
            raise CannotStart(
                "This move was begun by another version of aigen: go on with that one, or make "
                f"{self._address} anew."
            )

    def close(self, move: Move) -> None:
        """Close the door for this move. Raises as `admit`."""
        # Whoever starts at this moment waits to migrate, and finds it closed; or is seen.
        with one_at_a_time(self._connection):
            if self.door.move() is None:
                self._must_be_empty()
                self.door.close(move)

    def count(self, table: Table[Any]) -> int:
        ((count,),) = self._ask(f"SELECT count(*) FROM {table.name}")  # noqa: S608
        return int(count)

    def take(self, table: Table[Any], rows: Iterable[Row]) -> int:
        """Store those of the rows that are not there yet, all or none; how many were given."""
        names, key = ", ".join(table.names), ", ".join(table.key)
        arriving = f"CREATE TEMP TABLE arriving ON COMMIT DROP AS SELECT {names} FROM {table.name}"  # noqa: S608
        stored = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM arriving"  # noqa: S608
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute(f"{arriving} WITH NO DATA".encode())
            with cursor.copy(f"COPY arriving ({names}) FROM STDIN".encode()) as copy:
                for row in rows:
                    copy.write_row(row)
            given = cursor.rowcount
            cursor.execute(f"{stored} ON CONFLICT ({key}) DO NOTHING".encode())
        return given

    def rows(self, table: Table[Any]) -> Iterator[Row]:
        """All rows, in no order; few of them are in memory at a time."""
        sql = f"SELECT {', '.join(table.names)} FROM {table.name}"  # noqa: S608
        with self._connection.transaction(), self._connection.cursor("rows") as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            yield from cursor.execute(sql.encode())

    def open(self) -> None:
        """Everything is there: let it be used."""
        self._ask("ANALYZE")  # or the first questions would be planned for empty tables
        self.door.open()

    def _must_be_empty(self) -> None:
        if self._ask(_AT_WORK):
            raise InstallationRunning(
                f"aigen is running on {self._address}: stop it before an installation moves there."
            )
        there = {name for (name,) in self._ask(_TABLES)}
        for name in sorted(there - {"migrations"}):
            if name not in TABLES or self._ask(f"SELECT 1 FROM {name} LIMIT 1"):  # noqa: S608
                raise CannotStart(
                    f"{self._address} is not empty (table {name}): an installation moves into a "
                    "database of its own."
                )

    def _ask(self, sql: str, parameters: tuple[object, ...] = (), /) -> Sequence[Row]:
        cursor = self._connection.execute(sql.encode(), parameters)
        return cursor.fetchall() if cursor.description is not None else ()


@contextmanager
def arrival_at(database: Database, address: str) -> Iterator[Arrival]:
    """The database during the block, which one move at a time can enter. Raises CannotStart and
    InstallationRunning; DatabaseUnavailable for what goes wrong in the block."""
    try:
        connection = database.connect()
    except psycopg.Error as error:
        raise CannotStart(f"{address} cannot be used: {_first_line(error)}") from error
    try:
        with connection:
            connection.execute(_SETTINGS)
            connection.execute("SELECT pg_advisory_lock($1)", (_LOCK,))
            yield Arrival(connection, address)
    except psycopg.errors.LockNotAvailable as error:
        raise InstallationRunning(f"Another move to {address} is under way.") from error
    except psycopg.Error as error:
        raise DatabaseUnavailable(f"{address} failed: {_first_line(error)}.") from error


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0]
