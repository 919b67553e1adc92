"""Media in a bucket of S3."""

import asyncio
import hashlib
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import obstore
from attrs import evolve
from obstore.exceptions import BaseError

from aigen.adapters.media.bucket import Bucket, asking, why
from aigen.adapters.media.inspection import Inspection
from aigen.adapters.media.reserve import DiskReserve
from aigen.adapters.media.upload import Upload, headers_of
from aigen.domain.model.errors import CannotStart, NotFound, StorageFull
from aigen.domain.model.media import StoredMedia
from aigen.ports.media import Accept, MediaStore

_PROBE = ".probe/"
#: What fits into a piece is sent in one request, as most pictures are.
_PIECE_BYTES = 2**20
_KEYS_AT_ONCE = 1000
_LOOK_EVERY_SECONDS = 5.0
_PATIENCE_SECONDS = 3.0


class S3Media(MediaStore):
    """An object appears when its upload is complete; one that breaks off is aborted. What a killed
    process had begun to send is for the life cycle rules of the bucket to delete.

    `reserve` is of the data dir, where acceptances are noted wherever the files lie.
    """

    def __init__(self, bucket: Bucket, reserve: DiskReserve) -> None:
        self._bucket = bucket
        self._reserve = reserve
        self._answers = True
        self._look_again_at = 0.0

    async def open(self) -> None:
        """Do everything once with a small object. Raises CannotStart."""
        key = f"{_PROBE}{uuid.uuid4().hex}"
        try:
            await obstore.put_async(self._bucket, key, b"aigen", use_multipart=False)
            await obstore.get_async(self._bucket, key)
            await obstore.list(self._bucket, prefix=_PROBE).collect_async()
            await obstore.delete_async(self._bucket, [key])
        except (BaseError, OSError) as error:
            name = self._bucket.config.get("bucket")
            raise CannotStart(
                f"AIGEN_MEDIA_URL: the bucket {name} cannot be used, since {why(error)}."
            ) from error

    async def put(
        self, folder: str, name: str, chunks: AsyncIterable[bytes], accept: Accept
    ) -> StoredMedia:
        inspection = Inspection(accept)
        async with aclosing(_in_pieces(chunks, inspection)) as pieces:
            first = await anext(pieces, b"")
            media_type = inspection.known_type()
            if len(first) < _PIECE_BYTES:
                media = inspection.result(folder + name)
                with asking():
                    await obstore.put_async(
                        self._bucket,
                        media.key,
                        first,
                        attributes=headers_of(media_type),
                        use_multipart=False,
                    )
                return media
            key = f"{folder}{name}.{media_type.extension}"
            async with Upload(self._bucket, key, media_type) as upload:
                await upload.write(first)
                async for piece in pieces:
                    await upload.write(piece)
                return inspection.result(folder + name)

    async def read(self, media: StoredMedia) -> bytes:
        return b"".join([piece async for piece in await self.stream(media.key)])

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        with asking():
            found = await obstore.get_async(self._bucket, key)
        return _asked_for(found.stream(min_chunk_size=_PIECE_BYTES))

    async def copy(self, media: StoredMedia, folder: str) -> StoredMedia:
        key = folder + media.key.rpartition("/")[2]
        with asking():
            await obstore.copy_async(self._bucket, media.key, key)
        return evolve(media, key=key)

    async def remove(self, prefix: str) -> None:
        if not prefix.endswith("/"):
            await self._delete([prefix])
            return
        with asking():
            async for batch in self._listed(prefix):
                await self._delete(batch)

    async def all_keys(self) -> AsyncIterator[str]:
        with asking():
            async for batch in self._listed(None):
                for key in batch:
                    yield key

    async def path(self, key: str) -> Path | None:
        return None

    async def digest(self, key: str) -> str | None:
        digest = hashlib.sha256()
        try:
            async for piece in await self.stream(key):
                digest.update(piece)
        except NotFound:
            return None
        return digest.hexdigest()

    async def has_room(self) -> bool:
        now = time.monotonic()
        if now >= self._look_again_at:
            # Whoever asks meanwhile goes by what was known before.
            self._look_again_at = now + _LOOK_EVERY_SECONDS
            self._answers = await self._does_answer()
        return self._answers and self._reserve.is_free()

    async def _does_answer(self) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self.stream(_PROBE + "nothing")
        except NotFound:
            return True
        except (StorageFull, TimeoutError):
            return False
        return True

    async def _delete(self, keys: list[str]) -> None:
        with asking():
            await obstore.delete_async(self._bucket, keys)

    async def _listed(self, prefix: str | None) -> AsyncIterator[list[str]]:
        async for batch in obstore.list(self._bucket, prefix, chunk_size=_KEYS_AT_ONCE):
            yield [found["path"] for found in batch if not found["path"].startswith(_PROBE)]


async def _in_pieces(
    chunks: AsyncIterable[bytes], inspection: Inspection
) -> AsyncGenerator[bytes, None]:
    """The stream in pieces of one size, the last one smaller, each inspected."""
    piece = bytearray()
    async for chunk in chunks:
        inspection.take(chunk)
        piece += chunk
        while len(piece) >= _PIECE_BYTES:
            yield bytes(piece[:_PIECE_BYTES])
            del piece[:_PIECE_BYTES]
    if piece:
        yield bytes(piece)


async def _asked_for(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    with asking():
        async for piece in pieces:
            yield piece
