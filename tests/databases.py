"""Databases that are there for a block, and what opens a store on one, as often as wanted."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
import psycopg
import pytest
from attrs import frozen

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.postgres.database import Database
from aigen.adapters.postgres.store import PostgresStore
from tests.postgres.server import Server


@frozen
class Maker:
    """Makes stores on a database, each still to be opened."""

    new: Callable[[], DuckdbStore | PostgresStore]
    execute: Callable[[str], None]
    """Says something to the database past all stores, none of which may be open."""

    def __call__(self) -> DuckdbStore | PostgresStore:
        return self.new()


#: Makes a new, empty database.
Databases = Callable[[], AbstractContextManager[Maker]]

KINDS = ("duckdb", "postgres")


def databases(kind: str, request: pytest.FixtureRequest) -> Databases:
    """Databases of a kind of KINDS; the server is started only if it is needed."""
    if kind == "duckdb":
        return _a_file
    server: Server = request.getfixturevalue("postgres")

    @contextmanager
    def on_the_server() -> Iterator[Maker]:
        with server.database() as url:

            def execute(query: str) -> None:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(query.encode())

            yield Maker(lambda: PostgresStore(Database(url, connections=4)), execute)

    return on_the_server


@contextmanager
def _a_file() -> Iterator[Maker]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "aigen.duckdb"

        def execute(query: str) -> None:
            with duckdb.connect(str(file)) as connection:
                connection.execute(query)

        yield Maker(lambda: DuckdbStore(file), execute)
