"""Moving from DuckDB to PostgreSQL, in this process: what arrives, what is refused, and what is
noticed."""

import asyncio
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import define
from click.testing import CliRunner, Result

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.file_journal import FileJournal
from aigen.adapters.sql.tables import TABLES
from aigen.domain.model.errors import CannotStart, InstallationClosed, InstallationRunning
from aigen.domain.model.videos import VideoState
from aigen.entrypoints.commands.migrate_to import migrate_to
from aigen.entrypoints.moving import Inventory, Mover, settings_there, stay
from aigen.entrypoints.settings import Settings, variable_of
from aigen.ports.jobs import Answer
from aigen.testing.samples import a_user, stored
from tests.postgres.installations import store_on
from tests.postgres.old_house import (
    PICTURES,
    files_in,
    furnish,
    new_values_at,
    settings_of,
    storable,
    values_in,
)
from tests.postgres.server import Server

#: A few rows make several batches.
BATCH = 2


@define
class House:
    """An old house with all that was in it, and the address of a new one."""

    folder: Path
    url: str
    values: dict[str, list[Any]]

    @property
    def here(self) -> Settings:
        return settings_of(self.folder)

    @property
    def new_media(self) -> Path:
        return self.folder.parent / "new media"

    def mover(self, report: Any = None, url: str | None = None) -> Mover:
        there = settings_there(self.here, url or self.url, f"file://{self.new_media}")
        return Mover(self.here, there, report or (lambda *_: None), batch=BATCH)

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())

    async def old_values(self) -> dict[str, list[Any]]:
        store = DuckdbStore(self.here.database_file)
        await store.open()
        try:
            return await values_in(store)
        finally:
            await store.close()

    async def new_values(self) -> dict[str, list[Any]]:
        return await new_values_at(self.url)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> House:
    """One that all others are copied from."""
    folder = tmp_path_factory.mktemp("furnished") / "old"
    return House(folder, "", asyncio.run(furnish(folder)))


@pytest.fixture
def house(furnished: House, tmp_path: Path, database_url: str) -> House:
    return copied(furnished, tmp_path, database_url)


def copied(furnished: House, folder: Path, url: str) -> House:
    shutil.copytree(furnished.folder, folder / "old")
    return House(folder / "old", url, furnished.values)


# --- what arrives ---------------------------------------------------------------------------


async def test_everything_arrives_and_the_old_house_is_closed(house: House) -> None:
    assert all(house.values[name] for name in TABLES), "something of every kind"
    found = await house.mover().move()
    assert found.is_same
    assert {table.table: table.here.rows for table in found.tables} == {
        name: len(values) for name, values in house.values.items()
    }
    assert await house.new_values() == {
        name: [storable(value) for value in values] for name, values in house.values.items()
    }
    assert found.files == 2 * (PICTURES + 1)
    assert files_in(house.new_media) == files_in(house.here.media_dir)
    with pytest.raises(InstallationClosed, match="has moved to postgresql://"):
        await house.old_values()
    assert await house.mover().move() == Inventory(), "there is nothing left to do"


async def test_files_that_stay_are_not_touched(house: House) -> None:
    there = settings_there(house.here, house.url, None)
    assert there.media_dir == house.here.media_dir.resolve()
    found = await Mover(house.here, there, lambda *_: None).move()
    assert (found.is_same, found.files) == (True, 0)


async def test_what_the_journal_holds_is_recorded_before_it_goes(house: House) -> None:
    (job, *_) = (job for job in house.values["generated_videos"] if job.state is VideoState.QUEUED)
    sent = job.claimed(worker_id=job.id, nonce="of the attempt", now=job.created_at)
    store = DuckdbStore(house.here.database_file)
    await store.open()
    await stored(store, sent)
    await store.close()
    journal = FileJournal(house.folder / "journals")
    await journal.keep(
        Answer(video_id=job.id, nonce="of the attempt", provider_job_id="taken", polling_url=None)
    )
    journal.close()
    await house.mover().move()
    (moved,) = (j for j in (await house.new_values())["generated_videos"] if j.id == job.id)
    assert (moved.state, moved.provider_job_id) == (VideoState.PROCESSING, "taken")
    assert not list((house.folder / "journals").iterdir())


# --- what is refused ------------------------------------------------------------------------


async def test_a_database_with_something_in_it_is_refused_and_nothing_is_closed(
    house: House,
) -> None:
    async with store_on(house.url) as store:
        await stored(store, a_user())
    with pytest.raises(CannotStart, match=r"is not empty \(table users\)"):
        await house.mover().move()
    assert await house.old_values() == house.values
    assert len((await house.new_values())["users"]) == 1


async def test_a_database_of_somebody_else_is_refused(house: House) -> None:
    house.execute("CREATE TABLE orders (id integer)")
    with pytest.raises(CannotStart, match=r"is not empty \(table orders\)"):
        await house.mover().move()
    assert await house.old_values() == house.values


async def test_a_database_at_which_aigen_works_is_refused(house: House) -> None:
    async with store_on(house.url):
        with pytest.raises(InstallationRunning, match="aigen is running on"):
            await house.mover().move()
    assert await house.old_values() == house.values


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://127.0.0.1:1/aigen", "Connection refused"),
        ("postgresql:///aigen?hosst=x", "hosst"),
        ("duckdb:///elsewhere.duckdb", "name a `postgresql://…`"),
    ],
)
async def test_a_target_that_cannot_be_used_is_said_in_one_line(
    house: House, url: str, said: str
) -> None:
    with pytest.raises(CannotStart, match=said) as refused:
        await house.mover(url=url).move()
    assert "\n" not in refused.value.detail
    assert await house.old_values() == house.values


async def test_where_there_is_no_house_none_is_made(tmp_path: Path) -> None:
    here = settings_of(tmp_path / "nowhere")
    with pytest.raises(CannotStart, match="There is no installation"):
        settings_there(here, "postgresql:///aigen", None)
    with pytest.raises(CannotStart, match="There is no installation"):
        await stay(here)
    assert not (tmp_path / "nowhere").exists()


# --- half-way -------------------------------------------------------------------------------


class Cut(Exception):
    """The power is cut."""


def cut_at(what: str) -> Callable[..., None]:
    def report(doing: str, done: int, total: int | None) -> None:
        if doing == what:
            raise Cut

    return report


async def test_half_way_nobody_gets_in_on_either_side(house: House) -> None:
    with pytest.raises(Cut):
        await house.mover(cut_at("generated_texts")).move()
    with pytest.raises(InstallationClosed, match="is moving to postgresql://"):
        await house.old_values()
    with pytest.raises(InstallationClosed, match=r"is moving here from .*/old/aigen\.duckdb on"):
        await house.new_values()
    assert (await house.mover().move()).is_same


async def test_half_way_it_goes_nowhere_else(house: House, postgres: Server) -> None:
    with pytest.raises(Cut):
        await house.mover(cut_at("users")).move()
    with (
        postgres.database() as elsewhere,
        pytest.raises(CannotStart, match="go on there, or stay"),
    ):
        await house.mover(url=elsewhere).move()


async def test_two_houses_do_not_move_into_one_database(
    furnished: House, house: House, tmp_path: Path
) -> None:
    with pytest.raises(Cut):
        await house.mover(cut_at("users")).move()
    other = copied(furnished, tmp_path / "another", house.url)
    with pytest.raises(CannotStart, match="was closed by another move"):
        await other.mover().move()
    assert await other.old_values() == other.values


async def test_a_server_that_falls_down_half_way_is_no_loss(house: House, postgres: Server) -> None:

    def report(doing: str, done: int, total: int | None) -> None:
        if doing == "generated_images":
            postgres.cut_all(house.url)

    with pytest.raises(CannotStart, match="run the same command again to go on"):
        await house.mover(report).move()
    assert (await house.mover().move()).is_same


# --- what is noticed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        ("users", "UPDATE users SET role = 'admin'"),
        ("charges", "UPDATE charges SET cost_usd = cost_usd + 0.0000000001"),
        ("sessions", "UPDATE sessions SET ends_at = ends_at + interval '1 microsecond'"),
        ("audit_log", "UPDATE audit_log SET details = '{}'"),
        ("refresh_tokens", "UPDATE refresh_tokens SET jti = session_id WHERE revoked_at IS NULL"),
        ("media_removals", "INSERT INTO media_removals VALUES ('one more')"),
    ],
)
async def test_what_was_changed_on_the_way_is_noticed_and_stays_closed(
    house: House, table: str, sql: str
) -> None:
    with pytest.raises(Cut):
        await house.mover(cut_at("comparing users")).move()
    house.execute(sql)
    found = await house.mover().move()
    assert [each.table for each in found.tables if not each.is_same] == [table]
    with pytest.raises(InstallationClosed):
        await house.new_values()


async def test_what_was_removed_on_the_way_is_brought_again(house: House) -> None:
    with pytest.raises(Cut):
        await house.mover(cut_at("comparing users")).move()
    house.execute("DELETE FROM generated_texts")
    house.execute("DELETE FROM charges WHERE state = 'settled'")
    assert (await house.mover().move()).is_same


async def test_a_file_that_was_changed_on_the_way_is_noticed(house: House) -> None:

    def report(doing: str, done: int, total: int | None) -> None:
        if doing == "comparing users":
            (picture, *_) = sorted(house.new_media.rglob("*.png"))
            picture.write_bytes(picture.read_bytes() + b"!")

    found = await house.mover(report).move()
    assert not found.is_same
    assert len(found.wrong) >= 1
    again = await house.mover().move()
    assert again.is_same, "it is brought once more"


async def test_a_file_that_was_lost_before_is_said_and_left_only_if_told(house: House) -> None:
    gone, changed, strange, *_ = sorted(house.here.media_dir.rglob("*.png"))
    gone.unlink()
    changed.write_bytes(changed.read_bytes() + b"!")
    strange.write_bytes(b"no picture at all, and not a film either")
    lost = {str(file.relative_to(house.here.media_dir)) for file in (gone, changed, strange)}
    found = await house.mover().move()
    assert (found.is_same, {*found.lost}) == (True, lost)
    with pytest.raises(InstallationClosed, match="is moving to"):
        await house.old_values()
    found = await house.mover().move(without_lost=True)
    assert {*found.lost} == lost
    with pytest.raises(InstallationClosed, match="has moved to"):
        await house.old_values()
    assert lost.isdisjoint(files_in(house.new_media))


# --- staying --------------------------------------------------------------------------------


async def test_whoever_stays_half_way_has_lost_nothing(house: House, postgres: Server) -> None:
    with pytest.raises(CannotStart, match="is not moving"):
        await stay(house.here)
    with pytest.raises(Cut):
        await house.mover(cut_at("charges")).move()
    assert await stay(house.here) is None
    assert await house.old_values() == house.values
    with pytest.raises(InstallationClosed):
        await house.new_values()
    with pytest.raises(CannotStart, match="make the database anew"):
        await house.mover().move()
    with postgres.database() as elsewhere:
        assert (await house.mover(url=elsewhere).move()).is_same


async def test_whoever_returns_finds_a_backup_with_its_queued_jobs_held(house: House) -> None:
    await house.mover().move()
    with pytest.raises(InstallationClosed, match="say --cancel --yes"):
        await stay(house.here)
    queued = [job for job in house.values["generated_videos"] if job.state is VideoState.QUEUED]
    assert await stay(house.here, as_backup=True) == len(queued) == 2
    after = await house.old_values()
    assert not after["sessions"] + after["refresh_tokens"] + after["reset_links"]
    assert {job.id for job in after["generated_videos"] if job.is_held} == {
        job.id for job in queued
    }


# --- what the command says ------------------------------------------------------------------


def run(house: House, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)
    monkeypatch.setenv("AIGEN_DATA_DIR", str(house.folder))
    return CliRunner().invoke(migrate_to, words)


def test_a_difference_is_shown_with_both_sides_and_fails(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Cut):
        asyncio.run(house.mover(cut_at("comparing users")).move())
    house.execute("UPDATE users SET role = 'admin'")
    result = run(house, monkeypatch, house.url)
    assert result.exit_code == 1
    (here, there) = re.findall(
        r"^(?:users|  but there) +2  ([0-9a-f]{32})$", result.stdout, re.MULTILINE
    )
    assert here != there
    assert "differs, so it stays closed" in result.stderr
    assert "AIGEN_PEPPER" not in result.stdout


def test_lost_files_are_named_and_fail_unless_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = next(house.here.media_dir.rglob("*.png"))
    gone.unlink()
    words = (house.url, "--media", f"file://{house.new_media}")
    result = run(house, monkeypatch, *words)
    assert result.exit_code == 1
    assert f"file {gone.relative_to(house.here.media_dir)} is missing" in result.stderr
    assert "--without-lost" in result.stderr
    result = run(house, monkeypatch, *words, "--without-lost")
    assert (result.exit_code, "Everything is there" in result.stdout) == (0, True)


def test_staying_says_what_it_means(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Cut):
        asyncio.run(house.mover(cut_at("users")).move())
    result = run(house, monkeypatch, "--cancel")
    assert (result.exit_code, "open again and as it was" in result.stdout) == (0, True)
    assert run(house, monkeypatch).exit_code == 2
