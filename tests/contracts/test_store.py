"""Every store keeps the store's contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.memory.store import MemoryStore
from aigen.adapters.postgres.database import Database
from aigen.adapters.postgres.store import PostgresStore
from aigen.ports.store import Store
from aigen.testing.contracts.store import *  # noqa: F403
from aigen.testing.contracts.store_history import *  # noqa: F403
from aigen.testing.contracts.store_money import *  # noqa: F403
from aigen.testing.contracts.store_queue import *  # noqa: F403
from aigen.testing.contracts.store_retention import *  # noqa: F403


@pytest_asyncio.fixture(params=["memory", "duckdb", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    if request.param == "duckdb":
        opened: DuckdbStore | PostgresStore = DuckdbStore(tmp_path / "aigen.duckdb")
    else:
        opened = PostgresStore(Database(request.getfixturevalue("database_url")))
    await opened.open()
    yield opened
    await opened.close()
