"""What both databases owe besides the contract of all stores: schema, constraints, being closed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import duckdb
import psycopg
import pytest
import pytest_asyncio

from aigen.adapters.duckdb import migrations as of_duckdb
from aigen.adapters.postgres import migrations as of_postgres
from aigen.adapters.sql.migrations import Migration
from aigen.domain.model.errors import DatabaseDamaged, DatabaseTooNew, DatabaseUnavailable
from aigen.testing.samples import a_user, stored
from tests.databases import KINDS, Maker, databases

VIOLATION = {"duckdb": duckdb.ConstraintException, "postgres": psycopg.errors.UniqueViolation}
KNOWN = {"duckdb": of_duckdb.known(), "postgres": of_postgres.known()}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest_asyncio.fixture
async def new_store(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Maker]:
    """Makes stores on one database, which has its schema."""
    with databases(kind, request)() as new:
        store = new()
        await store.open()
        await store.close()
        yield new


async def test_a_migration_that_was_changed_is_refused(new_store: Maker) -> None:
    new_store.execute("UPDATE migrations SET checksum = 'another'")
    with pytest.raises(DatabaseDamaged, match="0001_initial"):
        await new_store().open()


async def test_a_schema_from_the_future_is_refused(new_store: Maker) -> None:
    new_store.execute("INSERT INTO migrations (number, name, checksum) VALUES (99, 'x', 'y')")
    with pytest.raises(DatabaseTooNew):
        await new_store().open()


@pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN)
def test_migrations_are_numbered_without_gaps(known: tuple[Migration, ...]) -> None:
    assert [migration.number for migration in known] == list(range(1, len(known) + 1))
    for migration in known:
        assert migration.checksum == hashlib.sha256(migration.sql.encode()).hexdigest()


async def test_a_violated_constraint_fails_its_own_change_alone(
    new_store: Maker, kind: str
) -> None:
    store = new_store()
    await store.open()
    ann, bob = a_user(), a_user()
    await stored(store, ann)
    twin = a_user(identity=ann.identity)
    results = await asyncio.gather(
        stored(store, a_user()), stored(store, twin), stored(store, bob), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), VIOLATION[kind], type(None)]
    assert (await store.read(lambda records: records.users.count())).total == 3
    assert await store.read(lambda records: records.users.get(bob.id)) == bob
    await store.close()


async def test_a_closed_store_is_unavailable(new_store: Maker) -> None:
    store = new_store()
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            await store.read(lambda records: records.users.count())
        with pytest.raises(DatabaseUnavailable):
            await store.write(lambda records: None)
        await store.open()
        await store.close()
