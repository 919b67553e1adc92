"""The connections to one database: how they are opened, shared, lost and found again."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
import structlog
from psycopg import errors
from psycopg.adapt import AdaptersMap
from psycopg.types.array import ListDumper
from psycopg.types.string import StrDumperUnknown, TextLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from aigen.domain.model.errors import CannotStart, DatabaseUnavailable, StorageFull

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]
logger = structlog.get_logger()

# It warns of every conflict that is about to be resolved, and of what we say ourselves.
logging.getLogger("psycopg").setLevel(logging.ERROR)

#: Transactions of one process at a time. A transaction takes a thread while it lasts.
CONNECTIONS = 12

#: Seconds that a start waits for a database that is just starting, too.
START_PATIENCE = 30.0

#: Seconds that a transaction waits for a connection; then the database counts as away.
PATIENCE = 3.0

#: While it is away, somebody tries again so often; all others are refused at once.
_SECONDS_BETWEEN_TRIES = 0.25

#: Statements that a connection remembers; we have some dozens.
_PREPARED = 250

_SETTINGS = {
    "TimeZone": "UTC",
    # Short transactions only: compiling them costs more than it saves.
    "jit": "off",
    # Nobody waits for ever, and a process that was stopped half-way does not keep its locks.
    "lock_timeout": "5s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "15s",
}

_CONNECTING: dict[str, Any] = {
    "connect_timeout": 3,
    # Of several servers in an address, the one that takes changes.
    "target_session_attrs": "read-write",
    # A server that went without a word is noticed within a quarter of a minute.
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


class _StorableText(StrDumperUnknown):
    """Text as PostgreSQL can store it: without NUL and halves of surrogate pairs, which others
    may say."""

    def dump(self, obj: str) -> bytes:
        return obj.replace("\0", "\ufffd").encode("utf-8", "replace")


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_dumper(str, _StorableText)
    adapters.register_dumper(tuple, ListDumper)
    for kind in ("uuid", "json"):
        adapters.register_loader(kind, TextLoader)
    return adapters


_ADAPTERS = _adapters()


class Lost(Exception):
    """The connection broke before anything was committed: try again on another one."""


class Database:
    """A pool of connections, and a thread for each of them.

    `run` gives work a connection. While the server is away, one caller at a time waits for it and
    the others are told at once.
    """

    def __init__(self, url: str, *, connections: int = CONNECTIONS) -> None:
        self.url = url
        self._connections = connections
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="postgres")
        self._pool: ConnectionPool[Connection] | None = None
        self._is_away = False
        self._next_try_at = 0.0

    # --- life -------------------------------------------------------------------------------

    async def open(self) -> None:
        """Wait until the server answers. Raises CannotStart when that takes too long."""
        if self._pool is not None:
            return
        give_up_at = time.monotonic() + START_PATIENCE
        while (reason := await asyncio.to_thread(self._why_unreachable)) is not None:
            if time.monotonic() > give_up_at or _is_final(reason):
                raise CannotStart(
                    f"The database of AIGEN_DATABASE_URL cannot be used: {_first_line(reason)}"
                ) from reason
            logger.warning("waiting_for_the_database", error=_first_line(reason))
            await asyncio.sleep(1)
        self._pool = ConnectionPool(
            self.url,
            kwargs=_arguments(),
            configure=_configure,
            min_size=1,
            max_size=self._connections,
            max_idle=60,
            # Whoever needs a connection asks for it anew; nobody waits out a long pause.
            reconnect_timeout=1,
            name="aigen",
            open=True,
        )

    async def close(self) -> None:
        """Let everything under way finish, and hang up."""
        if self._pool is None:
            return
        pool, self._pool = self._pool, None
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(pool.close)
        self._threads = ThreadPoolExecutor(self._connections, thread_name_prefix="postgres")

    def _why_unreachable(self) -> psycopg.Error | None:
        try:
            self.connect().close()
        except psycopg.Error as error:
            return error
        return None

    def connect(self) -> Connection:
        """A connection of one's own, outside the pool."""
        connection = psycopg.Connection.connect(self.url, **_arguments())
        connection.prepare_threshold = None
        _configure(connection)
        return connection

    async def connect_async(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        """The same for the event loop."""
        return await psycopg.AsyncConnection.connect(
            self.url, **_arguments() | {"cursor_factory": psycopg.AsyncRawCursor}
        )

    # --- use --------------------------------------------------------------------------------

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Do the work in a thread, with a connection that nobody else uses meanwhile; again on
        another connection if it says Lost. Raises DatabaseUnavailable, StorageFull and
        CONFLICTS."""
        if self._pool is None:
            raise DatabaseUnavailable
        is_scout = self._goes_to_see()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._run, self._pool, work, is_scout)

    def _goes_to_see(self) -> bool:
        """Whether the caller is the one who finds out if the server is back. Raises
        DatabaseUnavailable if that was tried a moment ago."""
        if not self._is_away:
            return False
        now = time.monotonic()
        if now < self._next_try_at:
            raise DatabaseUnavailable
        self._next_try_at = now + PATIENCE + _SECONDS_BETWEEN_TRIES
        return True

    def _run(
        self, pool: ConnectionPool[Connection], work: Callable[[Connection], T], is_scout: bool
    ) -> T:
        give_up_at = time.monotonic() + PATIENCE
        while True:
            # Whoever has waited for a thread meanwhile need not wait for the server as well.
            if self._is_away and not is_scout:
                raise DatabaseUnavailable
            with self._connection(pool) as connection:
                try:
                    return work(connection)
                except Lost as lost:
                    if time.monotonic() > give_up_at:
                        raise DatabaseUnavailable from lost
                except CONFLICTS:
                    raise
                except errors.DiskFull as error:
                    raise StorageFull from error
                except CONNECTION_ERRORS as error:
                    if isinstance(error, errors.ReadOnlySqlTransaction):
                        connection.close()  # this server is no longer the one to write to
                    logger.warning("database_failed", error=_first_line(error))
                    raise DatabaseUnavailable from error

    @contextmanager
    def _connection(self, pool: ConnectionPool[Connection]) -> Iterator[Connection]:
        try:
            connection = pool.getconn(PATIENCE)
        except PoolTimeout as error:
            if not self._is_away:
                logger.error("database_is_away", error=_first_line(error))
            self._is_away = True
            self._next_try_at = time.monotonic() + _SECONDS_BETWEEN_TRIES
            raise DatabaseUnavailable from error
        if self._is_away:
            logger.info("database_is_back")
            self._is_away = False
        try:
            yield connection
        finally:
            pool.putconn(connection)


#: Two changes stood in each other's way, and one has to be made again.
CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)

#: What happens when the connection or the server goes. Conflicts are of this class as well, and
#: have to be asked for before.
CONNECTION_ERRORS = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,
)

#: What a server says that will take us in soon.
_SOON = ("starting up", "shutting down", "recovery", "too many", "remaining connection slots")


def _is_final(error: psycopg.Error) -> bool:
    """Whether the server is there and says no, so that there is no use in waiting."""
    if not isinstance(error, psycopg.OperationalError):
        return True
    said = str(error)
    return "FATAL" in said and not any(words in said for words in _SOON)


def _arguments() -> dict[str, Any]:
    return {
        **_CONNECTING,
        "autocommit": True,
        "context": _ADAPTERS,
        "cursor_factory": psycopg.RawCursor,
        "application_name": "aigen",
        # At once: psycopg loses count of what it prepares later in a pipeline that fails.
        "prepare_threshold": 0,
    }


def _configure(connection: Connection) -> None:
    values = [f"set_config('{name}', '{value}', false)" for name, value in _SETTINGS.items()]
    connection.prepared_max = _PREPARED
    connection.execute(f"SELECT {', '.join(values)}")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
