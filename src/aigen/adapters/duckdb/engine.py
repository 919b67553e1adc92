"""Opening the one file, and saying in one line why it cannot be opened."""

import queue
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from aigen.adapters.duckdb.redo import RedoDamaged, repeat
from aigen.domain.model.errors import CannotStart, DatabaseDamaged, DatabaseLocked

_SETTINGS = (
    # DuckDB charges by the statement, not by the row: more threads get in each other's way.
    "SET threads = 1",
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL memory_limit = '512MiB'",
    # What is in the log is in memory as well. 6 instead of 16 MiB: 8 MB less, no change slower.
    "SET GLOBAL wal_autocheckpoint = '6MiB'",
    "SET GLOBAL autoinstall_known_extensions = false",
)

#: How long a start waits for a process that is just going away.
LOCK_PATIENCE_SECONDS = 3.0


class Database:
    """The open file: one connection that writes, a few cursors that read."""

    def __init__(self, file: Path, *, readers: int = 2) -> None:
        self.file = file
        self._readers = readers
        self._idle: queue.SimpleQueue[duckdb.DuckDBPyConnection] = queue.SimpleQueue()
        self._open()

    def _open(self) -> None:
        self.writing = connect(self.file)
        for _ in range(self._readers):
            self._idle.put(self.writing.cursor())

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for this thread alone; it sees what was committed when each query began."""
        cursor = self._idle.get()
        try:
            yield cursor
        finally:
            self._idle.put(cursor)

    def reopen(self) -> None:
        """Start anew after DuckDB has declared its instance dead; raises CannotStart."""
        self.close()
        self._open()

    def close(self) -> None:
        # An instance lives as long as any of its connections, so all of them have to go.
        for _ in range(self._readers):
            self._idle.get().close()
        self.writing.close()


def connect(file: Path, *, patience: float = LOCK_PATIENCE_SECONDS) -> duckdb.DuckDBPyConnection:
    """Open the database file for this process alone.

    What a crash has left in its redo log is in it then. Raises DatabaseLocked naming the process
    that has it, DatabaseDamaged after copying a file that cannot be read to a folder beside it.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"The database {file} cannot be made ({error.strerror}): set AIGEN_DATABASE_URL, or "
            "AIGEN_DATA_DIR, to a folder that aigen may write to."
        ) from error
    give_up_at = time.monotonic() + patience
    connection = _try(file)
    while isinstance(connection, DatabaseLocked) and time.monotonic() < give_up_at:
        time.sleep(0.1)  # the process that holds the lock cannot tell us when it lets go
        connection = _try(file)
    if isinstance(connection, CannotStart):
        raise connection
    for setting in _SETTINGS:
        connection.execute(setting)
    try:
        repeat(redo_of(file), connection)
    except (RedoDamaged, duckdb.Error, OSError) as error:
        connection.close()
        raise _redo_reason(file, error) from error
    return connection


def _try(file: Path) -> duckdb.DuckDBPyConnection | CannotStart:
    try:
        return duckdb.connect(str(file))
    except duckdb.Error as error:
        return _reason(file, error)


def _reason(file: Path, error: duckdb.Error) -> CannotStart:
    text = str(error)
    if "Could not set lock on file" in text:
        owner = re.search(r"\(PID (\d+)\)", text)
        who = f"process {owner[1]}" if owner else "another process"
        return DatabaseLocked(
            f"The database {file} is open in {who}, and DuckDB admits one process: stop that one, "
            "or work through its API (AIGEN_API_URL)."
        )
    if isinstance(error, duckdb.IOException) and "WAL" not in text and "checksum" not in text:
        return CannotStart(f"The database {file} cannot be opened: {text.splitlines()[0]}")
    kept = _copy_aside(file)
    return DatabaseDamaged(
        f"The database {file} is damaged ({text.splitlines()[0]}). Nothing was changed; a copy of "
        f"it and of its logs lies in {kept}. Restore a backup with `aigen db restore`, "
        "or move the .wal file away to go on without the changes that it holds."
    )


def _redo_reason(file: Path, error: Exception) -> CannotStart:
    if not isinstance(error, RedoDamaged):
        reason = str(error).partition("\n")[0]
        return CannotStart(f"The database {file} cannot take what its redo log holds: {reason}")
    kept = _copy_aside(file)
    return DatabaseDamaged(
        f"The redo log of the database {file} is damaged ({error}). Nothing was changed; a copy of "
        f"both lies in {kept}. Restore a backup with `aigen db restore`, or move the .redo file "
        "away to go on without the changes that it holds."
    )


def _copy_aside(file: Path) -> Path:
    """Copy the file and its logs to a new folder, so that no attempt at rescue can lose them."""
    folder = file.parent / f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    folder.mkdir(mode=0o700)
    for source in files_of(file):
        if source.exists():
            shutil.copy2(source, folder)
    return folder


def files_of(file: Path) -> tuple[Path, Path, Path]:
    """A database file with DuckDB's write-ahead log and our redo log: they belong together."""
    return file, file.with_name(file.name + ".wal"), redo_of(file)


def redo_of(file: Path) -> Path:
    return file.with_name(file.name + ".redo")
