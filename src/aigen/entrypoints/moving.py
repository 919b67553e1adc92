"""Moving house: an embedded installation goes to PostgreSQL, and its files where they are wanted.

At most one of the two houses is open at any instant, and no job is taken up twice: the old one
closes before anything is copied, the new one opens when everything has been compared, and the old
one knows before that it is out of date. Whatever ends a move half-way, the next run goes on.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from aigen.adapters.duckdb.departure import Departure, departure_from
from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.file_journal import FileJournal
from aigen.adapters.local_events import LocalEvents
from aigen.adapters.sql.moves import Fingerprint, Move
from aigen.adapters.sql.rows import Row, Table
from aigen.adapters.sql.tables import IMAGES, TABLES, VIDEOS
from aigen.adapters.system_clock import SystemClock, SystemIds
from aigen.domain.model.errors import (
    CannotStart,
    DatabaseLocked,
    InstallationClosed,
    InstallationRunning,
    NotFound,
    Unavailable,
)
from aigen.domain.model.media import MediaRejected, StoredMedia
from aigen.domain.services.work import Work, WorkPolicy
from aigen.entrypoints.database import database_of
from aigen.entrypoints.maintenance import after_restore, copy_file
from aigen.entrypoints.media import bucket_of, media_of, open_media
from aigen.entrypoints.secrets_file import Secrets
from aigen.entrypoints.settings import Settings, effective
from aigen.ports.media import MediaStore
from aigen.ports.provider import Accepted

if TYPE_CHECKING:
    from aigen.adapters.postgres.arrival import Arrival

#: Rows that are stored at once, all or none.
_BATCH = 10_000

#: A large one takes about twenty megabytes while it is on its way.
_FILES_AT_ONCE = 8

#: Told of what is going on: of what, how many, of how many if that is known.
Report = Callable[[str, int, int | None], None]


@frozen(kw_only=True)
class Compared:
    """The rows of a table on both sides."""

    table: str
    here: Fingerprint
    there: Fingerprint

    @property
    def is_same(self) -> bool:
        return self.here == self.there


@frozen(kw_only=True)
class Inventory:
    """What a move has found on both sides. `lost` are files that were missing or damaged before;
    `wrong` are those that are not there as their rows say. Without tables: it was over before."""

    tables: tuple[Compared, ...] = ()
    files: int = 0
    lost: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        return not self.wrong and all(table.is_same for table in self.tables)


def settings_there(here: Settings, address: str, media_url: str | None) -> Settings:
    """The settings of the new house: the same secrets, and files where they are unless said
    otherwise. Raises CannotStart if there is no old one, SettingsInvalid."""
    _must_be_installed(here)
    secrets = Secrets.of(here)
    return Settings(
        database_url=address,
        media_url=media_url or here.media_bucket or f"file://{here.media_dir.resolve()}",
        secret_key=",".join(secrets.keys),
        pepper=secrets.pepper.decode(),
    )


class Mover:
    """Of the installation of the settings `here` to where those `there` say. `batch` is how many
    rows are stored at once."""

    def __init__(
        self, here: Settings, there: Settings, report: Report, *, batch: int = _BATCH
    ) -> None:
        self._here = here
        self._there = there
        self._report = report
        self._batch = batch

    async def move(self, *, without_lost: bool = False) -> Inventory:
        """Go on from wherever an earlier run has come to. The new house opens if everything is
        there, and no file was lost before, unless it is to go `without_lost`.

        Raises CannotStart and its kind, SettingsInvalid.
        """
        database, address = database_of(self._there), effective(self._there)["database_url"]
        if database is None:
            raise CannotStart("An installation moves to PostgreSQL: name a `postgresql://…`.")
        from aigen.adapters.postgres.arrival import arrival_at  # noqa: PLC0415 - it is an extra

        media = await self._media()
        await _settle(self._here)
        try:
            with (
                departure_from(self._here.database_file) as departure,
                arrival_at(database, address) as arrival,
            ):
                move = departure.door.move() or self._new_move(address)
                if move.has_arrived and arrival.door.move() is None:
                    return Inventory()
                _close(departure, arrival, move, address)
                return await self._carry(departure, arrival, media, without_lost=without_lost)
        except Unavailable as error:
            raise CannotStart(
                f"{error.detail} Nothing is lost: run the same command again to go on."
            ) from error

    async def _media(self) -> tuple[MediaStore, MediaStore] | None:
        """Where files come from and where they go, ready to be used; None if they stay."""
        if _place_of_files(self._here) == _place_of_files(self._there):
            return None
        old, new = (media_of(each, bucket_of(each)) for each in (self._here, self._there))
        await open_media(old)
        await open_media(new)
        return old, new

    def _new_move(self, address: str) -> Move:
        origin = f"{self._here.database_file.resolve()} on {socket.gethostname()}"
        return Move(id=SystemIds().new(), origin=origin, destination=address)

    async def _carry(
        self,
        departure: Departure,
        arrival: "Arrival",
        media: tuple[MediaStore, MediaStore] | None,
        *,
        without_lost: bool,
    ) -> Inventory:
        for table in TABLES.values():
            await self._carry_rows(departure, arrival, table)
        lost = await self._carry_files(departure, *media) if media else set[str]()
        tables = [await self._compare(departure, arrival, table) for table in TABLES.values()]
        files, wrong = await self._compare_files(arrival, media[1], lost) if media else (0, set())
        inventory = Inventory(
            tables=tuple(tables),
            files=files,
            lost=tuple(sorted(lost)),
            wrong=tuple(sorted(wrong)),
        )
        if inventory.is_same and (without_lost or not lost):
            departure.door.note_arrival()
            arrival.open()
        return inventory

    # --- rows -------------------------------------------------------------------------------

    async def _carry_rows(
        self, departure: Departure, arrival: "Arrival", table: Table[Any]
    ) -> None:
        total, done = departure.count(table), 0
        if arrival.count(table) < total:
            rows = departure.rows(table)
            while taken := arrival.take(table, islice(rows, self._batch)):
                done += taken
                self._report(table.name, done, total)
                await asyncio.sleep(0)  # whoever wants to stop it is heard
        else:
            self._report(table.name, total, total)

    async def _compare(
        self, departure: Departure, arrival: "Arrival", table: Table[Any]
    ) -> Compared:
        here = await self._fingerprint(table, departure.rows(table))
        there = await self._fingerprint(table, arrival.rows(table))
        return Compared(table=table.name, here=here, there=there)

    async def _fingerprint(self, table: Table[Any], rows: Iterator[Row]) -> Fingerprint:
        found = Fingerprint()
        while found.add(islice(rows, self._batch)):
            self._report(f"comparing {table.name}", found.rows, None)
            await asyncio.sleep(0)
        return found

    # --- files ------------------------------------------------------------------------------

    async def _carry_files(
        self, departure: Departure, old: MediaStore, new: MediaStore
    ) -> set[str]:
        """Bring every file that a row names; those that cannot be brought as the row says."""
        lost: set[str] = set()

        async def bring(file: StoredMedia) -> None:
            if not await _is_brought(file, old, new):
                lost.add(file.key)

        await self._each_file("files", departure.rows, bring)
        return lost

    async def _compare_files(
        self, arrival: "Arrival", new: MediaStore, lost: set[str]
    ) -> tuple[int, set[str]]:
        """How many files are there, and those that are not as the rows there say."""
        wrong: set[str] = set()

        async def look(file: StoredMedia) -> None:
            if file.key not in lost and await new.digest(file.key) != file.sha256:
                wrong.add(file.key)

        count = await self._each_file("comparing files", arrival.rows, look)
        return count - len(lost), wrong

    async def _each_file(
        self,
        what: str,
        rows_of: Callable[[Table[Any]], Iterator[Row]],
        work: Callable[[StoredMedia], Awaitable[None]],
    ) -> int:
        """Do something with every file that rows name, with some at a time; how many there are."""
        count = 0

        async def one_after_the_other(files: Iterator[StoredMedia]) -> None:
            nonlocal count
            for file in files:
                await work(file)
                count += 1
                self._report(what, count, None)

        try:
            with closing(_files(rows_of)) as files:
                async with asyncio.TaskGroup() as group:
                    for _ in range(_FILES_AT_ONCE):
                        group.create_task(one_after_the_other(files))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        self._report(what, count, count)
        return count


async def stay(settings: Settings, *, as_backup: bool = False) -> int | None:
    """Open a house again that was to be left. If the new one was never open, it goes on as it was:
    None. Else it is but a backup of that time: if it is to be opened `as_backup`, it is made safe
    like one before; returns how many jobs are held.

    Raises CannotStart if it is not moving, or cannot be opened; InstallationClosed.
    """
    _must_be_installed(settings)
    with departure_from(settings.database_file) as departure:
        move = departure.door.move()
    if move is None:
        raise CannotStart("This installation is not moving.")
    if move.has_arrived and not as_backup:
        raise InstallationClosed(
            f"This installation has moved to {move.destination}, and what was done there since is "
            "not here. To return all the same, stop that one and say --cancel --yes: then all "
            "sessions end here, and queued jobs are held."
        )
    held = None
    if move.has_arrived:
        held = await after_restore(DuckdbStore(settings.database_file, even_left=True))
    with departure_from(settings.database_file) as departure:
        departure.door.open()
    return held


async def _settle(here: Settings) -> None:
    """Do what is left to do in a house that is still open: its last migrations, and what the
    provider accepted when the database could not take it. Raises InstallationRunning if somebody
    is at work there, CannotStart."""
    store, journal = DuckdbStore(here.database_file), FileJournal(here.data_dir / "journals")
    with suppress(InstallationClosed):  # this was done when the move began
        try:
            await store.open()
        except DatabaseLocked as error:
            raise InstallationRunning(
                f"aigen is running here and has to be stopped before it moves. {error.detail}"
            ) from error
        try:
            await _take_in(journal, store, here)
        finally:
            journal.close()
            await store.close()


async def _take_in(journal: FileJournal, store: DuckdbStore, here: Settings) -> None:
    work = Work(
        store,
        media_of(here, bucket_of(here)),
        LocalEvents(),
        SystemClock(),
        SystemIds(),
        WorkPolicy(deadline=here.job_deadline),
    )
    for answer in await journal.kept():
        accepted = Accepted(provider_job_id=answer.provider_job_id, polling_url=answer.polling_url)
        await work.record(answer.video_id, answer.nonce, accepted)
        await journal.discard(answer)


def _close(departure: Departure, arrival: "Arrival", move: Move, address: str) -> None:
    """Close both doors; the old one first, since from then on it remembers the move. Raises
    CannotStart if one of them is not to be closed for this move."""
    if move.destination != address:
        raise CannotStart(
            f"This installation is moving to {move.destination}: go on there, or stay with "
            "`aigen db migrate-to --cancel`."
        )
    arrival.admit(move)
    if departure.door.move() is None:
        departure.door.close(move)
    elif not departure.has_our_schema():
        raise CannotStart(
            "This move was begun by another version of aigen: go on with that one, or stay with "
            "`aigen db migrate-to --cancel`."
        )
    arrival.close(move)


def _must_be_installed(here: Settings) -> None:
    # Opening a file that is not there would make it.
    if not here.database_file.exists():
        raise CannotStart(
            f"There is no installation in {here.data_dir}: name its folder by AIGEN_DATA_DIR."
        )


def _place_of_files(settings: Settings) -> str | Path:
    return settings.media_bucket or settings.media_dir.resolve()


def _files(
    rows_of: Callable[[Table[Any]], Iterator[Row]],
) -> Generator[StoredMedia, None, None]:
    for table in (IMAGES, VIDEOS):
        for row in rows_of(table):
            yield from table.value(row).files


async def _is_brought(file: StoredMedia, old: MediaStore, new: MediaStore) -> bool:
    """Whether the file is there now, as its row says."""
    if await new.digest(file.key) == file.sha256:
        return True
    try:
        stored = await copy_file(old, new, file.key)
    except (NotFound, MediaRejected):
        return False
    if (stored.key, stored.sha256) != (file.key, file.sha256):
        await new.remove(stored.key)
        return False
    return True
