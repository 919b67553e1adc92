"""Media in a folder of this machine."""

import asyncio
import contextlib
import hashlib
import os
import time
import uuid
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import TypeVar

import obstore
from attrs import evolve
from obstore.exceptions import BaseError, GenericError
from obstore.store import LocalStore

from aigen.adapters.media.inspection import Inspection
from aigen.adapters.media.reserve import DiskReserve
from aigen.domain.model.errors import NotFound, StorageFull
from aigen.domain.model.media import StoredMedia
from aigen.ports.media import Accept, MediaStore

T = TypeVar("T")

_INCOMING = ".incoming/"
_PIECE_BYTES = 2**20

#: What obstore does with a file blocks a thread of its own, and it starts one for each that is
#: asked at once, up to 512; a disk is no quicker for more than a few.
_AT_ONCE = 16

#: So often a file is given its name while its folder is being deleted.
_TRIES = 10

#: Other processes may share the folder: what was written to a moment ago is being written.
_ABANDONED_AFTER_SECONDS = 3600.0


class DiskMedia(MediaStore):
    """A file is written under `.incoming/`, made durable, then renamed: a name that exists
    belongs to a whole file. `reserve` is how many bytes of the disk must stay free."""

    def __init__(self, folder: Path, reserve: int) -> None:
        self._folder = folder
        self._reserve = DiskReserve(folder, reserve)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    def open(self) -> None:
        """Make the folder, and delete what processes that died have left half written."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in (self._folder / _INCOMING).glob("*"):
            with contextlib.suppress(OSError):
                if time.time() - file.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                    file.unlink()
        self._store = LocalStore(self._folder, automatic_cleanup=True, mkdir=True)

    async def put(
        self, folder: str, name: str, chunks: AsyncIterable[bytes], accept: Accept
    ) -> StoredMedia:
        incoming = f"{_INCOMING}{uuid.uuid4().hex}"
        inspection = Inspection(accept)
        try:
            writer = obstore.open_writer_async(self._store, incoming)
            async for chunk in chunks:
                inspection.take(chunk)
                async with self._turn:
                    await writer.write(chunk)
            async with self._turn:
                await writer.close()
            media = inspection.result(folder + name)
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

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        if await self.path(key) is None:
            raise NotFound
        try:
            async with self._turn:
                found = await obstore.get_async(self._store, key)
        except (FileNotFoundError, ValueError) as error:
            raise NotFound from error
        return self._in_turn(found.stream(min_chunk_size=_PIECE_BYTES))

    async def _in_turn(self, stream: AsyncIterable[T]) -> AsyncIterator[T]:
        parts = aiter(stream)
        while True:
            async with self._turn:
                part = await anext(parts, None)
            if part is None:
                return
            yield part

    async def copy(self, media: StoredMedia, folder: str) -> StoredMedia:
        incoming = f"{_INCOMING}{uuid.uuid4().hex}"
        key = folder + media.key.rpartition("/")[2]
        try:
            async with self._turn:
                await obstore.copy_async(self._store, media.key, incoming)
        except FileNotFoundError as error:
            raise NotFound from error
        await self._settle(incoming, key)
        return evolve(media, key=key)

    async def remove(self, prefix: str) -> None:
        if not prefix.endswith("/"):
            await self._delete([prefix])
            return
        async for batch in self._in_turn(obstore.list(self._store, prefix=prefix)):
            await self._delete([found["path"] for found in batch])

    async def _delete(self, keys: list[str]) -> None:
        with contextlib.suppress(FileNotFoundError):  # somebody else was quicker
            async with self._turn:
                await obstore.delete_async(self._store, keys)

    async def path(self, key: str) -> Path | None:
        return await asyncio.to_thread(self._find, key)

    def _find(self, key: str) -> Path | None:
        try:
            path = (self._folder / key).resolve()
            is_ours = path.is_relative_to(self._folder.resolve()) and not key.startswith(".")
            return path if is_ours and path.is_file() else None
        except (ValueError, OSError):  # no file can be called so
            return None

    async def digest(self, key: str) -> str | None:
        def read() -> str:
            with (self._folder / key).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()

        try:
            return await asyncio.to_thread(read)
        except FileNotFoundError:
            return None

    async def all_keys(self) -> AsyncIterator[str]:
        async for batch in self._in_turn(obstore.list(self._store)):
            for found in batch:
                if not found["path"].startswith(_INCOMING):
                    yield found["path"]

    async def has_room(self) -> bool:
        return self._reserve.is_free()

    async def _settle(self, incoming: str, key: str) -> None:
        """Give a whole file its name, durably: contents first, then the entry in its folder."""
        await asyncio.to_thread(_sync, self._folder / incoming)
        for _ in range(_TRIES):
            if await self._renamed(incoming, key):
                break
        else:
            raise OSError(f"the folder of {key} cannot be made")
        await asyncio.to_thread(self._sync_folders_of, self._folder / key)

    async def _renamed(self, incoming: str, key: str) -> bool:
        """Whether it could be; a folder goes with its last file, maybe just as this one comes."""
        try:
            async with self._turn:
                await obstore.rename_async(self._store, incoming, key)
        except GenericError as error:
            if "Unable to create dir" not in str(error) or "os error 2" not in str(error):
                raise
            return False
        return True

    def _sync_folders_of(self, file: Path) -> None:
        for folder in file.parents[: len(file.relative_to(self._folder).parts)]:
            _sync(folder)

    async def _discard(self, incoming: str) -> None:
        with contextlib.suppress(BaseError, OSError):
            await obstore.delete_async(self._store, incoming)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
