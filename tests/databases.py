"""Databases that are there for a block, and what opens a store on one, as often as wanted."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.postgres.database import Database
from aigen.adapters.postgres.store import PostgresStore
from tests.postgres.server import Server

#: Makes a store on a database, which is still to be opened.
Maker = Callable[[], DuckdbStore | PostgresStore]

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
            yield lambda: PostgresStore(Database(url, connections=4))

    return on_the_server


@contextmanager
def _a_file() -> Iterator[Maker]:
    with tempfile.TemporaryDirectory() as folder:
        yield lambda: DuckdbStore(Path(folder) / "aigen.duckdb")
