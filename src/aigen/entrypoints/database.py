"""Where data lies, as AIGEN_DATABASE_URL says: in a file of one process, or in PostgreSQL.

Each database's driver is loaded only where it is used: PostgreSQL's is an extra, DuckDB's takes a
dozen megabytes.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from aigen.adapters.local_events import LocalEvents
from aigen.adapters.system_clock import SystemClock
from aigen.domain.model.errors import CannotStart
from aigen.entrypoints.settings import Settings
from aigen.ports.clock import Clock, Ids
from aigen.ports.events import Events
from aigen.ports.store import Store

if TYPE_CHECKING:
    from aigen.adapters.duckdb.store import DuckdbStore
    from aigen.adapters.postgres.clock import DatabaseClock
    from aigen.adapters.postgres.database import Database
    from aigen.adapters.postgres.events import PostgresEvents
    from aigen.adapters.postgres.store import PostgresStore


def database_of(settings: Settings) -> "Database | None":
    """The server's database, unless data lies in a file. Raises CannotStart."""
    if settings.postgres_url is None:
        return None
    try:
        from aigen.adapters.postgres.database import Database  # noqa: PLC0415
    except ImportError as error:
        raise CannotStart(
            "PostgreSQL needs its driver: install `aigen[postgres]`, or leave AIGEN_DATABASE_URL "
            "out to use the embedded database."
        ) from error
    return Database(settings.postgres_url)


def store_of(settings: Settings, database: "Database | None") -> "DuckdbStore | PostgresStore":
    """The store, which has still to be opened."""
    if database is None:
        from aigen.adapters.duckdb.store import DuckdbStore  # noqa: PLC0415

        return DuckdbStore(settings.database_file)
    from aigen.adapters.postgres.store import PostgresStore  # noqa: PLC0415

    return PostgresStore(database)


def clock_of(database: "Database | None") -> Clock:
    """One process goes by its machine's clock, many go by their database's."""
    if database is None:
        return SystemClock()
    from aigen.adapters.postgres.clock import DatabaseClock  # noqa: PLC0415

    return DatabaseClock(database)


def events_of(database: "Database | None", ids: Ids) -> Events:
    """Events for this process, or for all that share the database."""
    if database is None:
        return LocalEvents()
    from aigen.adapters.postgres.events import PostgresEvents  # noqa: PLC0415

    return PostgresEvents(database, LocalEvents(), ids)


@asynccontextmanager
async def opened(
    database: "Database | None", store: Store, clock: Clock, events: Events
) -> AsyncIterator[None]:
    """Those of ours that have to be opened are, during the block. Raises CannotStart."""
    async with AsyncExitStack() as stack:
        ours = _of_file() if database is None else _of_server()
        for adapter in (store, clock, events):
            if isinstance(adapter, ours):
                await adapter.open()
                stack.push_async_callback(adapter.close)
        yield


def _of_file() -> "tuple[type[DuckdbStore]]":
    from aigen.adapters.duckdb.store import DuckdbStore  # noqa: PLC0415

    return (DuckdbStore,)


def _of_server() -> "tuple[type[PostgresStore], type[DatabaseClock], type[PostgresEvents]]":
    from aigen.adapters.postgres.clock import DatabaseClock  # noqa: PLC0415
    from aigen.adapters.postgres.events import PostgresEvents  # noqa: PLC0415
    from aigen.adapters.postgres.store import PostgresStore  # noqa: PLC0415

    return PostgresStore, DatabaseClock, PostgresEvents
