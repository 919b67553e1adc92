"""The store on PostgreSQL, beyond the contract of all stores: schema, failures, strange text."""

import asyncio
import time

import pytest
from attrs import evolve

from aigen.adapters.postgres import database, migrations
from aigen.adapters.postgres.database import Database
from aigen.adapters.postgres.store import PostgresStore
from aigen.adapters.sql.tables import SESSIONS, TABLES, TEXTS
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.errors import (
    CannotStart,
    DatabaseUnavailable,
)
from aigen.domain.model.texts import Text
from aigen.domain.model.users import Role
from aigen.domain.services.restoration import make_safe
from aigen.ports.store import Records
from aigen.testing import ManualClock
from aigen.testing.samples import (
    NOW,
    a_job,
    a_refresh_token,
    a_session,
    a_text,
    a_user,
    stored,
)
from tests.postgres.server import Server

# --- schema ---------------------------------------------------------------------------------


async def test_two_that_start_at_once_migrate_once(database_url: str) -> None:
    stores = [PostgresStore(Database(database_url)) for _ in range(4)]
    applied = await asyncio.gather(*(store.open() for store in stores))
    names = [migration.name for migrations in applied for migration in migrations]
    assert names == [migration.name for migration in migrations.known()]
    for store in stores:
        await store.close()


async def test_both_databases_have_the_same_columns(store: PostgresStore) -> None:
    for name, table in TABLES.items():
        assert set(table.names) <= set(store._flush._types[name])


async def test_an_address_that_nobody_may_use_is_said_at_once(postgres: Server) -> None:
    with pytest.raises(CannotStart, match="does not exist"):
        await PostgresStore(Database(postgres.url_of("nowhere"))).open()


# --- values ---------------------------------------------------------------------------------


async def test_what_postgres_cannot_store_is_replaced_not_refused(store: PostgresStore) -> None:
    text = a_text(a_user(), text="one\0two \ud800 three")
    await stored(store, text)
    found = await store.read(lambda records: records.texts.get(text.id))
    assert found is not None
    assert found.text == "one\ufffdtwo ? three"


async def test_a_value_put_unread_and_removed_again_is_gone(store: PostgresStore) -> None:
    user = a_user()
    await stored(store, user)

    def change(records: Records) -> None:
        records.users.put(user.with_role(Role.ADMIN))
        records.users.remove(user.id)

    await store.write(change)
    assert (await store.read(lambda records: records.users.count())).total == 0


async def test_what_was_only_looked_at_is_locked_before_it_is_changed(
    store: PostgresStore, other: PostgresStore
) -> None:
    """Jobs that are counted are not locked; whoever then changes one begins again."""
    user = a_user()
    job = a_job(user)
    await stored(store, job)
    runs = []

    def change(records: Records) -> None:
        (found,) = records.videos.unfinished_of(user.id)
        runs.append(found)
        records.videos.put(evolve(found, attempts=found.attempts + 1))

    await asyncio.gather(*(each.write(change) for each in (store, other) * 5))
    found = await store.read(lambda records: records.videos.get(job.id))
    assert found is not None
    assert found.attempts == 10
    assert len(runs) == 20


async def test_everything_can_be_examined(store: PostgresStore) -> None:
    user = a_user()
    texts = [a_text(user) for _ in range(3)]
    await stored(store, *texts)
    seen: list[Text] = []
    assert await store.examine(TEXTS, seen.append) == 3
    assert sorted(seen, key=lambda text: text.id) == texts
    assert await store.examine(SESSIONS, lambda _: None) == 0


async def test_a_restored_database_is_made_safe(store: PostgresStore) -> None:
    user = a_user()
    session = a_session(user)
    await stored(store, user, session, a_refresh_token(session), a_job(user), a_job(user))
    assert await make_safe(store, ManualClock(NOW), SystemIds()) == 2

    def look(records: Records) -> tuple[object, ...]:
        jobs = records.videos.unfinished_of(user.id)
        return (
            records.sessions.get(session.id),
            records.refresh_tokens.count(NOW).active,
            [job.is_held for job in jobs],
        )

    assert await store.read(look) == (None, 0, [True, True])


# --- failing --------------------------------------------------------------------------------


async def test_a_closed_store_can_be_opened_again(store: PostgresStore) -> None:
    await store.close()
    await store.open()
    assert (await store.read(lambda records: records.users.count())).total == 0


async def test_a_cut_connection_is_nobodys_concern(
    store: PostgresStore, database_url: str, postgres: Server
) -> None:
    user = a_user()
    await stored(store, user)

    def rename(records: Records) -> None:
        found = records.users.get(user.id)
        assert found is not None
        records.users.put(evolve(found, email=found.email + "x"))

    for _ in range(3):
        await asyncio.gather(*(store.read(lambda r: r.users.get(user.id)) for _ in range(20)))
        await asyncio.to_thread(postgres.cut_all, database_url)
        await asyncio.gather(*(store.write(rename) for _ in range(3)))
        await asyncio.to_thread(postgres.cut_all, database_url)
        assert await store.read(lambda records: records.users.get(user.id)) is not None
    found = await store.read(lambda records: records.users.get(user.id))
    assert found is not None
    assert found.email == user.email + 9 * "x"


async def test_while_the_database_is_away_everybody_is_told_soon_and_then_it_is_back(
    store: PostgresStore, database_url: str, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    user = a_user()
    await stored(store, user)

    async def ask() -> object:
        return await store.read(lambda records: records.users.get(user.id))

    async def all_are_refused() -> None:
        began = time.monotonic()
        results = await asyncio.gather(*(ask() for _ in range(200)), return_exceptions=True)
        assert {type(result) for result in results} == {DatabaseUnavailable}
        assert time.monotonic() - began < 20 * 0.2, "not everybody waits in turn"

    with postgres.away(database_url):
        await all_are_refused()
    async with asyncio.timeout(20):
        while True:
            try:
                assert await ask() == user
            except DatabaseUnavailable:
                await asyncio.sleep(0.01)  # until somebody may try again
            else:
                break
