"""Backup, restore and check of an embedded installation."""

import asyncio
import hashlib
import json
import logging
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from attrs import frozen

import aigen
from aigen.adapters.duckdb.engine import Database, files_of
from aigen.adapters.duckdb.migrations import known
from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.media.disk import DiskMedia
from aigen.adapters.sql.rows import Table
from aigen.adapters.sql.tables import IMAGES, TABLES, VIDEOS
from aigen.adapters.system_clock import SystemClock, SystemIds
from aigen.domain.model.errors import (
    BackupInvalid,
    DatabaseDamaged,
    DatabaseLocked,
    InstallationRunning,
    NotFound,
)
from aigen.domain.model.media import MediaRejected, MediaType, StoredMedia
from aigen.domain.services.restoration import make_safe
from aigen.entrypoints.media import bucket_of, media_of, open_media
from aigen.entrypoints.settings import Settings
from aigen.ports.media import Accept, MediaStore

if TYPE_CHECKING:
    from aigen.adapters.postgres.store import PostgresStore

logger = logging.getLogger(__name__)

_DATABASE, _MEDIA, _MANIFEST = "aigen.duckdb", "media", "manifest.json"
_ANY = Accept(types=frozenset(MediaType), size=sys.maxsize)


@frozen(kw_only=True)
class Report:
    """How many rows each table has, and everything that is wrong, a sentence each."""

    rows: dict[str, int]
    files: int
    problems: tuple[str, ...]


async def backup(store: DuckdbStore, media: MediaStore | None, folder: Path) -> None:
    """Write a backup into a new or empty folder while the installation is in use, with the files
    of `media` if they are asked for, wherever they lie.

    Raises BackupInvalid if the folder has something in it, or cannot be made.
    """
    await asyncio.to_thread(_make_empty, folder)
    await store.backup(folder / _DATABASE)
    if media is not None:
        copied = DiskMedia(folder / _MEDIA, reserve=0)
        copied.open()
        await copy_files(media, copied)
    await asyncio.to_thread(_write_manifest, folder, with_media=media is not None)


async def restore(settings: Settings, folder: Path) -> int:
    """Put a backup in the place of a stopped installation; what was there is moved aside. Files go
    where AIGEN_MEDIA_URL says, wherever they lay before.

    All sessions end and unsubmitted jobs are held; returns how many. Raises InstallationRunning,
    BackupInvalid, CannotStart.
    """
    has_media = await asyncio.to_thread(_check_manifest, folder)
    media = media_of(settings, bucket_of(settings))
    await open_media(media)
    await asyncio.to_thread(_move_aside, settings)
    await asyncio.to_thread(shutil.copy2, folder / _DATABASE, settings.database_file)
    settings.database_file.chmod(0o600)
    if has_media:
        copied = DiskMedia(folder / _MEDIA, reserve=0)
        copied.open()
        await copy_files(copied, media)
    return await after_restore(DuckdbStore(settings.database_file))


async def after_restore(store: "DuckdbStore | PostgresStore") -> int:
    """End all sessions of a restored database and hold its queued jobs; returns how many.

    Raises CannotStart.
    """
    await store.open()
    try:
        return await make_safe(store, SystemClock(), SystemIds())
    finally:
        await store.close()


async def copy_files(source: MediaStore, target: MediaStore) -> None:
    """Copy all files under the keys that they have, a piece at a time."""
    async for key in source.all_keys():
        try:
            await copy_file(source, target, key)
        except NotFound:
            continue  # deleted meanwhile
        except MediaRejected:
            logger.warning("%s is damaged and was not copied", key)


async def copy_file(source: MediaStore, target: MediaStore, key: str) -> StoredMedia:
    """Copy one file, a piece at a time; what has been stored. Its key is another one if its bytes
    are not of the type that its name says. Raises NotFound, MediaRejected, StorageFull."""
    folder, _, name = key.rpartition("/")
    pieces = await source.stream(key)
    return await target.put(f"{folder}/", name.rpartition(".")[0], pieces, _ANY)


@runtime_checkable
class Examinable(Protocol):
    """A store that can show all that it has."""

    async def examine(self, table: Table[Any], look: Callable[[Any], None], /) -> int: ...


async def check(store: Examinable, media: MediaStore) -> Report:
    """Read every row, and compare every file that a row names with its digest."""
    rows: dict[str, int] = {}
    problems: list[str] = []
    expected: list[StoredMedia] = []
    for name, table in TABLES.items():
        has_files = table in {IMAGES, VIDEOS}

        def look(value: Any, *, has_files: bool = has_files) -> None:
            expected.extend(value.files if has_files else ())

        try:
            rows[name] = await store.examine(table, look)
        except (ValueError, TypeError, KeyError) as error:
            problems.append(f"table {name} has a row that cannot be read: {error}")
    for stored in expected:
        digest = await media.digest(stored.key)
        if digest is None:
            problems.append(f"file {stored.key} is missing")
        elif digest != stored.sha256:
            problems.append(f"file {stored.key} has been changed")
    return Report(rows=rows, files=len(expected), problems=tuple(problems))


def _make_empty(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_used = any(folder.iterdir())
    except OSError as error:
        raise BackupInvalid(f"The folder {folder} cannot be used: {error.strerror}.") from error
    if is_used:
        raise BackupInvalid(f"The folder {folder} is not empty: name a new one.")


def _write_manifest(folder: Path, *, with_media: bool) -> None:
    manifest = {
        "aigen": aigen.__version__,
        "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "schema": known()[-1].number,
        "database_sha256": _digest(folder / _DATABASE),
        "media": with_media,
    }
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _check_manifest(folder: Path) -> bool:
    """Whether the backup has media; raises BackupInvalid unless it is whole and unchanged."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        digest, has_media = manifest["database_sha256"], bool(manifest["media"])
        is_unchanged = _digest(folder / _DATABASE) == digest
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupInvalid(f"{folder} is no complete backup: {error}") from error
    if not is_unchanged:
        raise BackupInvalid(f"The database in {folder} is not the one that was backed up.")
    return has_media


def _move_aside(settings: Settings) -> None:
    """Move the present database into a folder beside it, if nobody has it open."""
    file = settings.database_file
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        return
    try:
        Database(file, readers=0).close()
    except DatabaseDamaged:
        pass  # all the more reason to restore
    except DatabaseLocked as error:
        raise InstallationRunning(
            f"aigen is running here and has to be stopped before a restore. {error.detail}"
        ) from error
    aside = file.parent / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    aside.mkdir(mode=0o700)
    for found in files_of(file):
        if found.exists():
            shutil.move(found, aside)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
