"""The store on DuckDB, beyond the contract of all stores: memory, files, crashes."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import pytest_asyncio
from attrs import evolve

from aigen.adapters.duckdb import migrations
from aigen.adapters.duckdb.engine import connect
from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.sql.tables import TABLES
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.errors import (
    DatabaseLocked,
)
from aigen.domain.model.sessions import RefreshToken, Session
from aigen.domain.model.texts import Text
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoJob, VideoState
from aigen.domain.services.restoration import make_safe
from aigen.ports.store import Records
from aigen.testing import ManualClock
from aigen.testing.samples import (
    LATER,
    NOW,
    a_job,
    a_refresh_token,
    a_session,
    a_text,
    a_user,
    stored,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "aigen.duckdb"


@pytest_asyncio.fixture
async def store(file: Path) -> AsyncIterator[DuckdbStore]:
    store = DuckdbStore(file)
    await store.open()
    yield store
    await store.close()


# --- what is in memory --------------------------------------------------------------------------


async def test_tokens_and_statuses_are_read_without_asking_the_database(file: Path) -> None:
    user = a_user()
    session = a_session(user)
    waiting, done = a_job(user), a_job(user, state=VideoState.PROCESSING)
    store = DuckdbStore(file)
    await store.open()
    await stored(store, user, session, a_refresh_token(session), waiting, done)
    await store.close()
    store = DuckdbStore(file)
    await store.open()

    def authorise(records: Records) -> bool:
        session_now = records.sessions.get(session.id)
        return session_now is not None and records.users.get(session_now.user_id) == user

    assert await store.read(authorise)
    assert await store.read(lambda records: records.videos.get(waiting.id)) == waiting
    finished = done.cancelled(NOW)
    await stored(store, finished)
    assert await store.read(lambda records: records.videos.get(done.id)) == finished
    assert store.cold_reads == 0
    await store.close()


async def test_what_was_read_cold_is_read_once_and_never_out_of_date(file: Path) -> None:
    user = a_user()
    job = a_job(user, state=VideoState.COMPLETED)
    store = DuckdbStore(file)
    await store.open()
    await stored(store, user, job)
    await store.close()
    store = DuckdbStore(file)
    await store.open()

    async def read() -> object:
        return await store.read(lambda records: records.videos.get(job.id))

    assert list(await asyncio.gather(read(), read(), read())) == [job] * 3
    asked = store.cold_reads
    assert await read() == job
    assert store.cold_reads == asked
    changed = evolve(job, error="changed")

    def change(records: Records) -> None:
        assert records.videos.get(job.id) == job
        records.videos.put(changed)

    await store.write(change)
    assert await read() == changed
    await store.write(lambda records: records.videos.remove_of(user.id))
    assert await read() is None
    await store.close()


def test_the_rows_kept_in_memory_are_the_same_in_sql_and_in_python() -> None:
    user = a_user()
    session = a_session(user)
    values: list[Any] = [
        user,
        *(a_job(user, state=state) for state in VideoState),
        session,
        evolve(session, id=user.id, ended_at=NOW),
        a_refresh_token(session),
        a_refresh_token(session, jti=user.id, revoked_at=NOW),
        a_text(user),
    ]
    connection = duckdb.connect()
    migrations.migrate(connection)
    names = {
        User: "users",
        VideoJob: "generated_videos",
        Session: "sessions",
        RefreshToken: "refresh_tokens",
        Text: "generated_texts",
    }
    for value in values:
        table = TABLES[names[type(value)]]
        connection.execute(f"DELETE FROM {table.name}")
        (row,) = table.rows([value], table.all_places)
        places = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table.name} VALUES ({places})", row)
        query = f"SELECT count(*) FROM {table.name} WHERE {table.resident_where}"
        ((count,),) = connection.execute(query).fetchall()
        assert bool(count) is table.is_resident(value), value
    connection.close()


# --- failing ------------------------------------------------------------------------------------


async def test_changes_that_wait_when_it_is_closed_are_still_made(file: Path) -> None:
    store = DuckdbStore(file)
    await store.open()
    users = [a_user() for _ in range(50)]
    waiting = [asyncio.ensure_future(stored(store, user)) for user in users]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*waiting)
    store = DuckdbStore(file)
    await store.open()
    assert (await store.read(lambda records: records.users.count())).total == 50
    await store.close()


async def test_a_store_that_was_closed_can_be_opened_again(file: Path) -> None:
    store = DuckdbStore(file)
    texts = [a_text(a_user()) for _ in range(2)]
    for number, text in enumerate(texts, 1):
        await store.open()
        await stored(store, text)
        found = await store.read(lambda records: records.texts.get_many(t.id for t in texts))
        assert found == tuple(texts[:number])
        await store.close()


# --- files --------------------------------------------------------------------------------------


def test_a_file_that_is_open_elsewhere_names_the_process(file: Path) -> None:
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(DatabaseLocked, match=f"process {other.pid},"):
            connect(file, patience=0)
        other.communicate(b"\n")
    connect(file, patience=0).close()


async def test_a_backup_holds_what_was_committed_and_a_restore_makes_it_safe(
    store: DuckdbStore, tmp_path: Path
) -> None:
    user = a_user()
    session = a_session(user)
    queued, processing = a_job(user), a_job(user, state=VideoState.PROCESSING)
    later = a_job(user, not_before=LATER + timedelta(days=1))
    await stored(store, user, session, a_refresh_token(session), queued, processing, later)
    copy = tmp_path / "it's a copy.duckdb"
    await store.backup(copy)
    await stored(store, a_user())
    restored = DuckdbStore(copy)
    await restored.open()
    assert await make_safe(restored, ManualClock(NOW), SystemIds()) == 2

    def look(records: Records) -> tuple[object, ...]:
        jobs = [records.videos.get(job.id) for job in (queued, processing, later)]
        return (
            records.users.count().total,
            records.sessions.get(session.id),
            records.refresh_tokens.count(NOW).active,
            [job and job.is_held for job in jobs],
        )

    assert await restored.read(look) == (1, None, 0, [True, False, True])
    await restored.close()


async def test_ten_thousand_changes_leave_the_file_small(store: DuckdbStore, file: Path) -> None:
    user = a_user()
    jobs = [a_job(user) for _ in range(100)]
    await stored(store, user, *jobs)

    async def touch(number: int) -> None:
        def change(records: Records) -> None:
            for job in jobs:
                records.videos.put(evolve(job, attempts=number))

        await store.write(change)

    for number in range(1, 101):
        await touch(number)
    size = file.stat().st_size + file.with_name(file.name + ".wal").stat().st_size
    assert size < 10 * 2**20
