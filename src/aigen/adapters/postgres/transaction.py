"""One run of a look or a change: fresh shelves, filled from the database as they are asked."""

from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from enum import Enum
from typing import Any, Final, TypeVar

import psycopg

from aigen.adapters.postgres.database import CONNECTION_ERRORS, Connection, Lost
from aigen.adapters.postgres.flush import Flush, Statement, stored
from aigen.adapters.records.repositories import ShelvedRecords, Shelves
from aigen.adapters.records.shelf import Lock, Log, Shelf
from aigen.adapters.sql.archive import SqlArchive
from aigen.adapters.sql.tables import SESSIONS, TABLES, USERS, Row

T = TypeVar("T")


class Isolation(Enum):
    """What a transaction sees of others; the value begins one."""

    #: Two records of one instant.
    SNAPSHOT = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",)
    #: As if alone; whoever stood in the way has to try again. What is read by reading a whole
    #: table counts as wholly read, so that would put everybody in everybody's way.
    SERIALIZABLE = (
        "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",
        "SET LOCAL enable_seqscan = off",
    )
    #: As if alone, by locking what is read by key or searched for with a lock, and reading it as
    #: it is then. Nobody has to try again, and claims pass each other by.
    LOCKING = ("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",)


class NeedsOther(Exception):
    """The run asks for what the isolation that it has cannot give it: again, with another one."""

    def __init__(self, isolation: Isolation) -> None:
        super().__init__(isolation.name)
        self.isolation = isolation


class _Run:
    """Shelves that are empty at first, and what fills them."""

    def __init__(self, connection: Connection, isolation: Isolation | None) -> None:
        self.isolation = isolation
        self._connection = connection
        self._cursor = connection.cursor()
        self._has_begun = False
        self._archive = SqlArchive(self._ask)
        self._log = Log()
        self._shelves = Shelves(self._shelf)
        self.records = ShelvedRecords(self._shelves, self._archive)

    def _shelf(self, name: str, key_of: Any) -> Shelf[Any, Any]:
        return Shelf(name, key_of, self._log, self._fetch, self._search)

    def _fetch(self, shelf: Shelf[Any, Any], key: Hashable) -> Any:
        self._before_records(self._lock_of(shelf))
        if self.isolation is Isolation.LOCKING:
            value = self._archive.get(TABLES[shelf.name], key, "FOR UPDATE")
        elif shelf.name == SESSIONS.name:
            value = self._session_with_user(key)
        else:
            value = self._archive.get(TABLES[shelf.name], key)
        if value is not None and shelf.is_swept(value):
            value = None
        shelf.place(key, value)
        return value

    def _session_with_user(self, key: Hashable) -> Any:
        """Whoever asks for a session asks for its user next, at every request: so one question."""
        if not SESSIONS.may_have((key,)):
            return None
        rows = self._ask(_SESSION_WITH_USER, (key,))
        if not rows:
            return None
        width = len(SESSIONS.columns)
        if rows[0][width] is not None:
            self._shelves.users.learn(USERS.value(rows[0][width:]))
        return SESSIONS.value(rows[0][:width])

    def _search(
        self,
        shelf: Shelf[Any, Any],
        where: str,
        parameters: tuple[object, ...],
        lock: Lock | None,
    ) -> None:
        self._before_records(lock)
        if self.isolation is Isolation.LOCKING and lock is Lock.LEASED:
            # Before the search begins, or it would not see what was given to the worker just now.
            self._ask("SELECT 1 FROM workers WHERE worker_id = $1 FOR UPDATE", parameters[:1])
        ending = _ENDINGS[lock] if self.isolation is Isolation.LOCKING else ""
        where = f"{where} {ending}"
        for value in self._archive.select(TABLES[shelf.name], where, stored(parameters)):
            shelf.learn(value)

    def _lock_of(self, shelf: Shelf[Any, Any]) -> Lock | None:
        return Lock.LEASED if shelf is self._shelves.workers else None

    def _before_records(self, lock: Lock | None) -> None:
        raise NotImplementedError

    def _ask(self, sql: str, parameters: tuple[object, ...] = (), /) -> Sequence[Row]:
        """All rows; the first question takes the beginning of the transaction with it."""
        try:
            if self._has_begun or self.isolation is None:
                return self._cursor.execute(sql.encode(), parameters).fetchall()
            self._has_begun = True
            with self._connection.pipeline():
                for beginning in self.isolation.value:
                    self._connection.execute(beginning)
                self._cursor.execute(sql.encode(), parameters)
            return self._cursor.fetchall()
        except CONNECTION_ERRORS as error:
            if self._connection.broken:
                raise Lost from error
            raise

    def confirm(self) -> None:
        """Write nothing, but see that what was read may be believed: PostgreSQL may find out at
        the end that it was not as if alone."""
        if self._has_begun:
            self._connection.execute("COMMIT")

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

    def _before_records(self, lock: Lock | None) -> None:
        self._records_read += 1
        if self._records_read > 1 and self.isolation is None:
            raise NeedsOther(Isolation.SNAPSHOT)


class Change(_Run):
    """Reads and writes as if alone. Its first question decides how: whoever asks for a lease or
    for jobs to take works on the queue, and locks what it takes."""

    def _ask(self, sql: str, parameters: tuple[object, ...] = (), /) -> Sequence[Row]:
        self.isolation = self.isolation or Isolation.SERIALIZABLE
        return super()._ask(sql, parameters)

    def _before_records(self, lock: Lock | None) -> None:
        wanted = Isolation.SERIALIZABLE if lock is None else Isolation.LOCKING
        if self.isolation is None:
            self.isolation = wanted
        elif lock is not None and self.isolation is not Isolation.LOCKING:
            raise NeedsOther(Isolation.LOCKING)

    def commit(self, flush: Flush) -> None:
        """Write the net difference down and commit, in one round trip."""
        statements = list(flush.statements(self._log))
        if not self._has_begun and not statements:
            return
        beginning: list[Statement] = []
        if not self._has_begun:
            self.isolation = self.isolation or Isolation.SERIALIZABLE
            beginning = [(sql, ()) for sql in self.isolation.value]
        self._has_begun = True
        with self._connection.pipeline():
            for sql, parameters in (*beginning, *statements, _COMMIT):
                self._cursor.execute(sql.encode(), parameters)


def run_look(connection: Connection, look: Callable[[Any], T]) -> T:
    """What the look says of one instant."""
    isolation: Isolation | None = None
    while True:
        run = Look(connection, isolation)
        try:
            result = look(run.records)
        except NeedsOther as needed:
            isolation = needed.isolation
        except BaseException:
            run.roll_back()
            raise
        else:
            run.confirm()
            return result


def run_change(connection: Connection, change: Callable[[Any], T], flush: Flush) -> T:
    """Make the change once. Raises what it raises, Lost, or why PostgreSQL refused it."""
    isolation: Isolation | None = None
    while True:
        run = Change(connection, isolation)
        try:
            result = change(run.records)
            run.commit(flush)
            return result
        except NeedsOther as needed:
            run.roll_back()
            isolation = needed.isolation
        except (psycopg.Error, Lost):
            run.roll_back()
            raise
        except Exception:
            run.confirm()
            raise


_COMMIT: Final[Statement] = ("COMMIT", ())

_ENDINGS: Final = {None: "", Lock.FREE: "FOR UPDATE SKIP LOCKED", Lock.LEASED: "FOR UPDATE"}

_SESSION_WITH_USER: Final = (
    f"SELECT {', '.join(f's.{name}' for name in SESSIONS.names)},"  # noqa: S608
    f" {', '.join(f'u.{name}' for name in USERS.names)}"
    f" FROM {SESSIONS.name} s LEFT JOIN {USERS.name} u ON u.id = s.user_id WHERE s.id = $1"
)
