"""Media in a folder of this machine."""

import asyncio
import contextlib
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import AsyncIterable
from pathlib import Path

import obstore
from attrs import evolve
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from aigen.adapters.media.inspection import HEAD_BYTES, sides_of
from aigen.domain.model.errors import NotFound, StorageFull
from aigen.domain.model.media import (
    PICTURES,
    SIGNATURE_BYTES,
    MediaRejected,
    MediaType,
    StoredMedia,
    type_of,
)
from aigen.ports.media import Accept, MediaStore

_INCOMING = ".incoming/"
_LOOK_EVERY_SECONDS = 1.0


class DiskMedia(MediaStore):
    """A file is written under `.incoming/`, made durable, then renamed: a name that exists
    belongs to a whole file. `reserve` is how many bytes of the disk must stay free."""

    def __init__(self, folder: Path, reserve: int) -> None:
        self._folder = folder
        self._reserve = reserve
        self._has_room = True
        self._look_again_at = 0.0

    def open(self) -> None:
        """Make the folder, and delete what an earlier process left half written."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self._folder / _INCOMING, ignore_errors=True)
        self._store = LocalStore(self._folder, automatic_cleanup=True, mkdir=True)

    async def put(
        self, folder: str, name: str, chunks: AsyncIterable[bytes], accept: Accept
    ) -> StoredMedia:
        incoming = f"{_INCOMING}{uuid.uuid4().hex}"
        reading = _Reading(accept)
        try:
            async with obstore.open_writer_async(self._store, incoming) as writer:
                async for chunk in chunks:
                    reading.take(chunk)
                    await writer.write(chunk)
            media = reading.result(folder + name)
            await self._settle(incoming, media.key)
        except (BaseError, OSError) as error:
            await self._discard(incoming)
            if "No space left" in str(error):
                raise StorageFull from error
            raise
        except BaseException:
            await self._discard(incoming)
            raise
        return media

    async def read(self, media: StoredMedia) -> bytes:
        try:
            return await asyncio.to_thread((self._folder / media.key).read_bytes)
        except FileNotFoundError as error:
            raise NotFound from error

    async def copy(self, media: StoredMedia, folder: str) -> StoredMedia:
        incoming = f"{_INCOMING}{uuid.uuid4().hex}"
        key = folder + media.key.rpartition("/")[2]
        try:
            await obstore.copy_async(self._store, media.key, incoming)
        except FileNotFoundError as error:
            raise NotFound from error
        await self._settle(incoming, key)
        return evolve(media, key=key)

    async def remove(self, prefix: str) -> None:
        if not prefix.endswith("/"):
            await self._delete([prefix])
            return
        async for batch in obstore.list(self._store, prefix=prefix):
            await self._delete([found["path"] for found in batch])

    async def _delete(self, keys: list[str]) -> None:
        with contextlib.suppress(FileNotFoundError):  # somebody else was quicker
            await obstore.delete_async(self._store, keys)

    async def path(self, key: str) -> Path | None:
        path = (self._folder / key).resolve()
        is_ours = path.is_relative_to(self._folder.resolve()) and not key.startswith(".")
        return path if is_ours and await asyncio.to_thread(path.is_file) else None

    async def digest(self, key: str) -> str | None:
        def read() -> str:
            with (self._folder / key).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()

        try:
            return await asyncio.to_thread(read)
        except FileNotFoundError:
            return None

    async def has_room(self) -> bool:
        # Asked before every generation; a disk does not fill up from one second to the next.
        now = time.monotonic()
        if now >= self._look_again_at:
            self._has_room = shutil.disk_usage(self._folder).free >= self._reserve
            self._look_again_at = now + _LOOK_EVERY_SECONDS
        return self._has_room

    async def _settle(self, incoming: str, key: str) -> None:
        """Give a whole file its name, durably: contents first, then the entry in its folder."""
        await asyncio.to_thread(_sync, self._folder / incoming)
        await obstore.rename_async(self._store, incoming, key)
        await asyncio.to_thread(self._sync_folders_of, self._folder / key)

    def _sync_folders_of(self, file: Path) -> None:
        for folder in file.parents[: len(file.relative_to(self._folder).parts)]:
            _sync(folder)

    async def _discard(self, incoming: str) -> None:
        with contextlib.suppress(BaseError, OSError):
            await obstore.delete_async(self._store, incoming)


class _Reading:
    """What is learnt of a file while it passes by."""

    def __init__(self, accept: Accept) -> None:
        self._accept = accept
        self._head = bytearray()
        self._digest = hashlib.sha256()
        self._size = 0

    def take(self, chunk: bytes) -> None:
        """Look at the next piece; raises MediaRejected as soon as it is clear."""
        self._size += len(chunk)
        if self._size > self._accept.size:
            raise MediaRejected(f"The file is larger than {self._accept.size} bytes.")
        self._digest.update(chunk)
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
            if len(self._head) >= SIGNATURE_BYTES:
                self._known_type()  # nobody downloads a gigabyte of something else

    def result(self, key: str) -> StoredMedia:
        media_type = self._known_type()
        sides = sides_of(bytes(self._head)) if media_type in PICTURES else None
        longest = self._accept.longest_side
        if longest is not None and (sides is None or max(sides) > longest):
            raise MediaRejected(f"The picture is damaged or larger than {longest} pixels wide.")
        return StoredMedia(
            key=f"{key}.{media_type.extension}",
            media_type=media_type,
            size=self._size,
            sha256=self._digest.hexdigest(),
            width=sides[0] if sides else None,
            height=sides[1] if sides else None,
        )

    def _known_type(self) -> MediaType:
        media_type = type_of(self._head)
        if media_type is None or media_type not in self._accept.types:
            names = ", ".join(sorted(accepted.value for accepted in self._accept.types))
            raise MediaRejected(f"The file is none of {names}.")
        return media_type


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
