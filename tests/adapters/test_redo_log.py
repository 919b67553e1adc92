"""The redo log: what a crash leaves is what was answered, whatever state the file is in."""

import asyncio
import errno
import json
import os
import shutil
import threading
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import pytest_asyncio
from attrs import evolve
from structlog.testing import capture_logs

from aigen.adapters.duckdb import writer
from aigen.adapters.duckdb.disk import CHECKED, LARGEST_DEBT, refused_of
from aigen.adapters.duckdb.engine import connect, files_of, redo_of
from aigen.adapters.duckdb.migrations import migrate
from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.sql.tables import TABLES
from aigen.domain.model.errors import DatabaseDamaged, StorageFull
from aigen.domain.model.videos import VideoState
from aigen.ports.store import Records
from aigen.testing.samples import NOW, a_charge, a_job, a_text, a_user, an_image, stored

USER = a_user()


@pytest_asyncio.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DuckdbStore]:
    """One whose database takes nothing just because nobody asks for anything."""
    monkeypatch.setattr(writer, "BREATH_SECONDS", 600)
    store = DuckdbStore(tmp_path / "data" / "aigen.duckdb")
    await store.open()
    await stored(store, USER)
    yield store
    await store.close()


def killed(store: DuckdbStore, folder: Path) -> Path:
    """What would be left if the process were killed now: a copy, in a folder of that name."""
    folder.mkdir()
    for file in files_of(store.file):
        if file.exists():
            shutil.copy2(file, folder)
    return folder / store.file.name


def texts_in(file: Path) -> list[str]:
    """The texts that DuckDB knows of, without our log."""
    with duckdb.connect(file) as connection:
        return [
            text for (text,) in connection.execute("SELECT text FROM generated_texts").fetchall()
        ]


async def reopened(file: Path) -> DuckdbStore:
    store = DuckdbStore(file)
    await store.open()
    return store


async def test_what_was_answered_is_in_the_log_and_survives_there(
    store: DuckdbStore, tmp_path: Path
) -> None:
    text = a_text(USER)
    await stored(store, text)
    left = killed(store, tmp_path / "left")
    assert redo_of(left).stat().st_size > 0
    assert texts_in(left) == []
    again = await reopened(left)
    assert await again.read(lambda records: records.texts.get(text.id)) == text
    assert redo_of(left).stat().st_size == 0
    await again.close()
    assert texts_in(left) == [text.text]


async def test_nobody_is_answered_before_the_disk_has_it(
    store: DuckdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the loss of power may not take away: only what was synced is safe from it."""
    syncing, may_end = threading.Event(), threading.Event()
    sync = os.fdatasync
    synced: list[int] = []

    def slowly(descriptor: int) -> None:
        syncing.set()
        may_end.wait()
        sync(descriptor)
        synced.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fdatasync", slowly)
    text = a_text(USER)
    answer = asyncio.ensure_future(stored(store, text))
    await asyncio.to_thread(syncing.wait)
    assert not answer.done()
    assert await store.read(lambda records: records.texts.get(text.id)) is None
    may_end.set()
    await answer
    assert synced == [redo_of(store.file).stat().st_size]


async def test_every_kind_of_value_comes_back_as_it_was(store: DuckdbStore, tmp_path: Path) -> None:
    job = a_job(USER).claimed(worker_id=USER.id, nonce="n", now=NOW)
    image = an_image(USER)
    text = evolve(a_text(USER), text="line\nnext 😀 \x00 \u2028", cost_usd=Decimal("0.0000001"))
    charge = a_charge(USER, id=text.id)
    await stored(store, job, image, text, charge)
    again = await reopened(killed(store, tmp_path / "left"))

    def look(records: Records) -> tuple[object, ...]:
        return (
            records.videos.get(job.id),
            records.images.get(image.id),
            records.texts.get(text.id),
            records.charges.get(charge.id),
        )

    assert await again.read(look) == (job, image, text, charge)
    await again.close()


async def test_to_repeat_a_log_again_changes_nothing(store: DuckdbStore, tmp_path: Path) -> None:
    """A crash between the commit of the database and the end of the log."""
    kept, gone, new = a_job(USER), a_job(USER), a_job(USER)
    await stored(store, kept, gone)
    await store.read(lambda records: records.users.count())
    await stored(store, kept.cancelled(NOW), new)
    await store.write(lambda records: records.videos.remove(gone.id))
    left = killed(store, tmp_path / "left")
    log = redo_of(left).read_bytes()
    for _ in range(2):
        redo_of(left).write_bytes(log)
        again = await reopened(left)

        def look(records: Records) -> list[VideoState | None]:
            found = [records.videos.get(job.id) for job in (kept, gone, new)]
            return [None if job is None else job.state for job in found]

        assert await again.read(look) == [VideoState.CANCELLED, None, VideoState.QUEUED]
        await again.close()


async def test_half_a_line_at_the_end_was_never_promised(
    store: DuckdbStore, tmp_path: Path
) -> None:
    first, second = a_text(USER), a_text(USER)
    await stored(store, first)
    await stored(store, second)
    left = killed(store, tmp_path / "left")
    log = redo_of(left)
    log.write_bytes(log.read_bytes()[:-10])
    again = await reopened(left)
    known = await again.read(lambda records: records.texts.get_many([first.id, second.id]))
    assert known == (first,)
    await again.close()


async def test_a_damaged_line_stops_the_start_and_nothing_is_deleted(
    store: DuckdbStore, tmp_path: Path
) -> None:
    for _ in range(3):
        await stored(store, a_text(USER))
    left = killed(store, tmp_path / "left")
    damaged = redo_of(left).read_bytes().replace(b"generated", b"degraded_", 1)
    redo_of(left).write_bytes(damaged)
    with pytest.raises(DatabaseDamaged, match="line 1 of 3") as refused:
        connect(left)
    assert "aigen db restore" in refused.value.detail
    (aside,) = left.parent.glob("damaged-*")
    assert redo_of(aside / left.name).read_bytes() == redo_of(left).read_bytes() == damaged
    assert texts_in(left) == []


async def test_a_row_that_the_database_refuses_is_kept_beside_it(
    store: DuckdbStore,
) -> None:
    good = a_text(USER)
    impossible = evolve(a_text(USER), text="dear", cost_usd=Decimal("1e9"))
    await stored(store, good)
    await stored(store, impossible)
    with capture_logs() as logged:
        known = await store.read(lambda records: records.texts.get_many([good.id, impossible.id]))
    assert known == (good,)
    (line,) = refused_of(store.file).read_text(encoding="utf-8").splitlines()
    assert "dear" in json.dumps(json.loads(line.partition(" ")[2])["generated_texts"]["rows"])
    assert [line["event"] for line in logged] == ["row_refused"]
    assert "dear" not in json.dumps(logged)


async def test_a_text_that_is_none_fails_its_own_change(store: DuckdbStore) -> None:
    with pytest.raises(UnicodeEncodeError):
        await stored(store, evolve(a_text(USER), text="\ud800"))
    good = a_text(USER)
    await stored(store, good)
    assert await store.read(lambda records: records.texts.get(good.id)) == good


async def test_a_disk_that_fails_refuses_and_leaves_no_half_line(
    store: DuckdbStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, refused = [a_text(USER), a_text(USER)], a_text(USER)
    await stored(store, kept[0])
    with monkeypatch.context() as failing:
        failing.setattr(os, "fdatasync", _full)
        failing.setattr(os, "ftruncate", _full)
        with pytest.raises(StorageFull):
            await stored(store, refused)
    await stored(store, kept[1])
    again = await reopened(killed(store, tmp_path / "left"))
    ids = [text.id for text in (*kept, refused)]
    assert await again.read(lambda records: records.texts.get_many(ids)) == tuple(kept)
    await again.close()


async def test_a_log_that_cannot_be_emptied_is_emptied_later(
    store: DuckdbStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = a_text(USER)
    await stored(store, text)
    with monkeypatch.context() as failing:
        failing.setattr(os, "ftruncate", _full)
        with pytest.raises(StorageFull):
            await store.read(lambda records: records.texts.get(text.id))
        with pytest.raises(StorageFull):
            await stored(store, a_text(USER))
    assert await store.read(lambda records: records.texts.get(text.id)) == text
    later = evolve(a_text(USER), text="later")
    await stored(store, later)
    log = redo_of(store.file).read_bytes()
    assert (log.count(b"\n"), b"later" in log) == (1, True)
    assert texts_in(killed(store, tmp_path / "left")) == [text.text]
    assert not refused_of(store.file).exists()


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_the_log_stays_short(store: DuckdbStore, tmp_path: Path) -> None:
    texts = [a_text(USER) for _ in range(LARGEST_DEBT + 1)]
    for start in range(0, len(texts), 50):
        await stored(store, *texts[start : start + 50])
    # One change more, since the database takes what it has not got after the answer.
    await stored(store, a_text(USER))
    assert len(texts_in(killed(store, tmp_path / "left"))) >= LARGEST_DEBT


def test_whatever_is_unique_besides_the_key_is_checked_before_the_answer() -> None:
    with duckdb.connect() as connection:
        migrate(connection)
        found = connection.execute(
            "SELECT table_name FROM duckdb_constraints() WHERE constraint_type = 'UNIQUE'"
        ).fetchall()
    assert {name for (name,) in found} & set(TABLES) == CHECKED
