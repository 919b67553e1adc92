"""Whatever the machine's clock says, the database's counts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import pytest_asyncio

from aigen.adapters.postgres.clock import DatabaseClock
from aigen.adapters.postgres.database import Database


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


def said_by(url: str) -> datetime:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    said: datetime = row[0]
    return said.astimezone(UTC)


@pytest.mark.parametrize("skew", [0.0, 5000.0, -5000.0, 1e9])
async def test_processes_with_different_clocks_agree(
    database: Database, database_url: str, skew: float
) -> None:
    elapsed = 1000.0
    clock = DatabaseClock(database, elapsed=lambda: elapsed + skew)
    before = said_by(database_url)
    await clock.look()
    after = said_by(database_url)
    assert before <= clock.now() <= after
    seen = clock.now()
    elapsed += 7
    assert clock.now() - seen == timedelta(seconds=7)


async def test_it_counts_on_by_itself(database: Database, database_url: str) -> None:
    clock = DatabaseClock(database)
    await clock.open()
    assert abs(clock.now() - said_by(database_url)) < timedelta(seconds=1)
    first = clock.now()
    await clock.sleep(timedelta(milliseconds=1))
    assert clock.now() > first
    await clock.close()
