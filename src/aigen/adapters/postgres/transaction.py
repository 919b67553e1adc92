"""One run of a look or a change: fresh shelves, filled from the database as they are asked."""

from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar
from zlib import crc32

import psycopg

from aigen.adapters.postgres.database import CONNECTION_ERRORS, Connection, Lost
from aigen.adapters.postgres.flush import Flush, Statement, stored
from aigen.adapters.records.repositories import ShelvedRecords, Shelves
from aigen.adapters.records.shelf import Lock, Log, Shelf
from aigen.adapters.sql.archive import SqlArchive
from aigen.adapters.sql.rows import Row
from aigen.adapters.sql.tables import SESSIONS, TABLES, USERS, WORKERS

T = TypeVar("T")

#: What two records of one instant take.
_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

#: Each question sees what is committed when it is asked, and locks what it finds.
_LOCKING: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"

_COMMIT: Final[Statement] = ("COMMIT", ())

_LOCKS: Final = {
    Lock.ALL: "FOR UPDATE",
    Lock.FREE: "FOR UPDATE SKIP LOCKED",
    Lock.LEASED: "FOR UPDATE",
    Lock.ALONE: "",
    Lock.NONE: "",
}

_SESSION_WITH_USER: Final = (
    f"SELECT {', '.join(f's.{name}' for name in SESSIONS.names)},"  # noqa: S608
    f" {', '.join(f'u.{name}' for name in USERS.names)}"
    f" FROM {SESSIONS.name} s LEFT JOIN {USERS.name} u ON u.id = s.user_id WHERE s.id = $1"
)


class _Again(Exception):
    """The run needs more than it was given: a snapshot, or locks on all that it reads."""


class _Run:
    """Shelves that are empty at first, and what fills them. `beginning` begins the transaction;
    without it, each question is one by itself."""

    def __init__(self, connection: Connection, beginning: str | None) -> None:
        self._connection = connection
        self._beginning = beginning
        self._cursor = connection.cursor()
        self._has_begun = False
        self._log = Log()
        self._archive = SqlArchive(self._ask)
        self._shelves = Shelves(
            lambda name, key_of: Shelf(name, key_of, self._log, self._fetch, self._search)
        )
        self.records = ShelvedRecords(self._shelves, self._archive)

    def _fetch(self, shelf: Shelf[Any, Any], keys: tuple[Hashable, ...]) -> Sequence[Any]:
        raise NotImplementedError

    def _search(
        self,
        shelf: Shelf[Any, Any],
        where: str,
        parameters: tuple[object, ...],
        lock: Lock,
    ) -> None:
        raise NotImplementedError

    def _ask(self, sql: str, parameters: tuple[object, ...] = (), /) -> Sequence[Row]:
        """All rows; the first question takes the beginning of the transaction with it."""
        try:
            if self._has_begun or self._beginning is None:
                return self._cursor.execute(sql.encode(), parameters).fetchall()
            self._has_begun = True
            with self._connection.pipeline():
                self._connection.execute(self._beginning.encode())
                self._cursor.execute(sql.encode(), parameters)
            return self._cursor.fetchall()
        except CONNECTION_ERRORS as error:
            if self._connection.broken:
                raise Lost from error
            raise

    def roll_back(self) -> None:
        """Leave nothing behind on the connection, whatever has happened."""
        if self._has_begun:
            # Not by psycopg, which forgets all prepared statements then. A connection that broke is
            # thrown away by the pool.
            with suppress(psycopg.Error):
                self._connection.pgconn.exec_(b"ROLLBACK")


class Look(_Run):
    """Reads what is committed. One record needs no transaction; the second one does, since both
    have to be of one instant."""

    _records_read = 0

    def _fetch(self, shelf: Shelf[Any, Any], keys: tuple[Hashable, ...]) -> Sequence[Any]:
        self._count_one()
        if shelf.name == SESSIONS.name and len(keys) == 1:
            values = self._session_with_user(keys[0])
        else:
            values = self._archive.get(TABLES[shelf.name], keys)
        shelf.know(keys, values)
        return values

    def _session_with_user(self, key: Hashable) -> Sequence[Any]:
        """Whoever asks for a session asks for its user next, at every request: so one question."""
        rows = self._ask(_SESSION_WITH_USER, (key,)) if SESSIONS.may_have((key,)) else ()
        if not rows:
            return ()
        session, user = rows[0][: len(SESSIONS.columns)], rows[0][len(SESSIONS.columns) :]
        if user[0] is not None:
            self._shelves.users.learn(USERS.value(user))
        return (SESSIONS.value(session),)

    def _search(
        self,
        shelf: Shelf[Any, Any],
        where: str,
        parameters: tuple[object, ...],
        lock: Lock,
    ) -> None:
        self._count_one()
        for value in self._archive.select(TABLES[shelf.name], where, stored(parameters)):
            shelf.learn(value)

    def _count_one(self) -> None:
        self._records_read += 1
        if self._records_read > 1 and self._beginning is None:
            raise _Again


class Change(_Run):
    """Reads and writes as if alone: what it reads it locks, and reads it as it is then."""

    def __init__(self, connection: Connection, *, locks_everything: bool = False) -> None:
        super().__init__(connection, _LOCKING)
        self._locks_everything = locks_everything
        #: What was only looked at, by shelf and key, and may change before the end.
        self._not_locked: set[tuple[Shelf[Any, Any], Hashable]] = set()

    def _fetch(self, shelf: Shelf[Any, Any], keys: tuple[Hashable, ...]) -> Sequence[Any]:
        found = self._archive.get(TABLES[shelf.name], keys, "FOR UPDATE")
        values = [value for value in found if not shelf.is_swept(value)]
        shelf.know(keys, values)
        return values

    def _search(
        self,
        shelf: Shelf[Any, Any],
        where: str,
        parameters: tuple[object, ...],
        lock: Lock,
    ) -> None:
        # Others are locked out before the search begins, or it would not see what they did last.
        if lock is Lock.LEASED:
            self._take_lease(str(parameters[0]))
        elif lock is Lock.ALONE:
            self._ask("SELECT pg_advisory_xact_lock($1)", (_number_of(where, parameters),))
        if self._locks_everything and not _LOCKS[lock]:
            lock = Lock.ALL
        where = f"{where} {_LOCKS[lock]}"
        for value in self._archive.select(TABLES[shelf.name], where, stored(parameters)):
            key = shelf.key_of(value)
            if not _LOCKS[lock] and shelf.peek(key) is None:
                self._not_locked.add((shelf, key))
            shelf.learn(value)

    def _take_lease(self, worker_id: str) -> None:
        workers = self._shelves.workers
        workers.know((worker_id,), self._archive.get(WORKERS, (worker_id,), "FOR UPDATE"))
        self._not_locked.discard((workers, worker_id))

    def commit(self, flush: Flush) -> None:
        """Write the net difference down and commit, in one round trip."""
        if any((shelf, key) in self._not_locked for shelf, key in self._log.touched()):
            raise _Again
        statements = list(flush.statements(self._log))
        if not self._has_begun:
            if not statements:
                return
            statements.insert(0, (_LOCKING, ()))
            self._has_begun = True
        with self._connection.pipeline():
            for sql, parameters in (*statements, _COMMIT):
                self._cursor.execute(sql.encode(), parameters)


def run_look(connection: Connection, look: Callable[[Any], T]) -> T:
    """What the look says of one instant."""
    run = Look(connection, None)
    try:
        return look(run.records)
    except _Again:
        run = Look(connection, _SNAPSHOT)
        return look(run.records)
    finally:
        run.roll_back()


def run_change(connection: Connection, change: Callable[[Any], T], flush: Flush) -> T:
    """Make the change once. Raises what it raises, Lost, or why PostgreSQL refused it."""
    try:
        return _made(Change(connection), change, flush)
    except _Again:
        return _made(Change(connection, locks_everything=True), change, flush)


def _made(run: Change, change: Callable[[Any], T], flush: Flush) -> T:
    try:
        result = change(run.records)
        run.commit(flush)
    except BaseException:
        run.roll_back()
        raise
    return result


def _number_of(where: str, parameters: tuple[object, ...]) -> int:
    """A number for a question, the same in all processes."""
    return crc32(repr((where, parameters)).encode())
