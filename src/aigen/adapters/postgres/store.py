"""The store on PostgreSQL: any number of processes, each change as if it were alone."""

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from psycopg import errors

from aigen.adapters.postgres.database import CONFLICTS, Connection, Database
from aigen.adapters.postgres.flush import TYPES_QUERY, Flush
from aigen.adapters.postgres.migrations import migrate
from aigen.adapters.postgres.transaction import run_change, run_look
from aigen.adapters.sql.migrations import Migration
from aigen.adapters.sql.rows import Table
from aigen.domain.model.errors import Busy
from aigen.ports.store import Records, Store

T = TypeVar("T")

#: Looks and changes that may wait; more would wait for seconds, so they are refused.
LONGEST_BACKLOG = 2_000

#: How often a change is made that others stand in the way of. A violated constraint means that two
#: have put the same at the same time; one that is violated again and again is a bug of ours.
_TRIES = 6
_LONGEST_PAUSE_SECONDS = 0.02


class PostgresStore(Store):
    """Looks and changes run in threads, on connections of a pool."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._flush = Flush({})
        self._under_way = 0
        #: How often a change had to be made again, since the store was opened.
        self.conflicts = 0

    async def open(self) -> list[Migration]:
        """Connect, and bring the schema up to date; what was migrated.

        Raises CannotStart, DatabaseDamaged, DatabaseTooNew, InstallationClosed.
        """
        await self._database.open()
        try:
            return await asyncio.to_thread(self._prepare)
        except BaseException:
            await self._database.close()
            raise

    def _prepare(self) -> list[Migration]:
        with self._database.connect() as connection:
            connection.execute("SET lock_timeout = 0")
            connection.execute("SET statement_timeout = 0")
            applied = migrate(connection)
            types: dict[str, dict[str, str]] = {}
            for table, column, kind in connection.execute(TYPES_QUERY).fetchall():
                types.setdefault(table, {})[column] = kind
        self._flush = Flush(types)
        return applied

    async def close(self) -> None:
        """Finish what is under way and hang up."""
        await self._database.close()

    # --- the port ---------------------------------------------------------------------------

    async def read(self, look: Callable[[Records], T]) -> T:
        return await self._run(partial(run_look, look=look))

    async def write(self, change: Callable[[Records], T]) -> T:
        made = partial(run_change, change=change, flush=self._flush)
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._run(made)
            except CONFLICTS as error:
                self.conflicts += 1
                if attempt == _TRIES:
                    raise Busy from error
            except errors.UniqueViolation:
                self.conflicts += 1
                if attempt == _TRIES:
                    raise
            await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311
        raise Busy

    async def _run(self, work: Callable[[Connection], T]) -> T:
        if self._under_way >= LONGEST_BACKLOG:
            raise Busy
        self._under_way += 1
        try:
            return await self._database.run(work)
        finally:
            self._under_way -= 1

    # --- for the operator -------------------------------------------------------------------

    async def examine(self, table: Table[T], look: Callable[[T], None]) -> int:
        """Show every value of a table to `look`, in a thread; how many there were.

        Raises ValueError, TypeError or KeyError if a row is none.
        """

        def run(connection: Connection) -> int:
            names, count = ", ".join(table.names), 0
            with connection.transaction(), connection.cursor("rows") as cursor:
                for row in cursor.execute(f"SELECT {names} FROM {table.name}".encode()):  # noqa: S608
                    look(table.value(row))
                    count += 1
            return count

        return await self._database.run(run)
