"""Two processes' worth of adapters on one database."""

from collections.abc import AsyncIterator

import pytest_asyncio

from aigen.adapters.postgres.store import PostgresStore
from tests.postgres.installations import store_on


@pytest_asyncio.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    async with store_on(database_url) as opened:
        yield opened


@pytest_asyncio.fixture
async def other(store: PostgresStore, database_url: str) -> AsyncIterator[PostgresStore]:
    async with store_on(database_url) as opened:
        yield opened
