"""Files in memory."""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

from attrs import evolve

from aigen.domain.model.errors import NotFound, StorageFull
from aigen.domain.model.media import MediaRejected, MediaType, StoredMedia, type_of
from aigen.ports.media import Accept, MediaLinks, MediaStore

_PIECE_BYTES = 2**16


class MemoryMedia(MediaStore, MediaLinks):
    """`is_full` makes it refuse everything, as a full disk does."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.is_full = False

    async def put(
        self, folder: str, name: str, chunks: AsyncIterable[bytes], accept: Accept
    ) -> StoredMedia:
        content = b"".join([chunk async for chunk in chunks])
        if self.is_full:
            raise StorageFull
        media_type = type_of(content)
        if media_type is None or media_type not in accept.types or len(content) > accept.size:
            raise MediaRejected
        sides = _sides_of_png(content) if media_type is MediaType.PNG else None
        if accept.longest_side and sides and max(sides) > accept.longest_side:
            raise MediaRejected
        key = f"{folder}{name}.{media_type.extension}"
        self.files[key] = content
        return StoredMedia(
            key=key,
            media_type=media_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            width=sides[0] if sides else None,
            height=sides[1] if sides else None,
        )

    async def read(self, media: StoredMedia) -> bytes:
        try:
            return self.files[media.key]
        except KeyError:
            raise NotFound from None

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        try:
            content = self.files[key]
        except KeyError:
            raise NotFound from None
        return _in_pieces(content)

    async def copy(self, media: StoredMedia, folder: str) -> StoredMedia:
        key = folder + media.key.rpartition("/")[2]
        self.files[key] = await self.read(media)
        return evolve(media, key=key)

    async def remove(self, prefix: str) -> None:
        is_folder = prefix.endswith("/")
        for key in list(self.files):
            if key == prefix or (is_folder and key.startswith(prefix)):
                del self.files[key]

    async def all_keys(self) -> AsyncIterator[str]:
        for key in list(self.files):
            yield key

    async def path(self, key: str) -> Path | None:
        return None

    async def digest(self, key: str) -> str | None:
        content = self.files.get(key)
        return None if content is None else hashlib.sha256(content).hexdigest()

    async def has_room(self) -> bool:
        return not self.is_full

    @property
    def origin(self) -> str:
        return "memory:"

    def link(self, key: str) -> str:
        return f"memory:{key}"


async def _in_pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _PIECE_BYTES):
        yield content[start : start + _PIECE_BYTES]


def _sides_of_png(content: bytes) -> tuple[int, int]:
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
