"""Where files lie, and how a browser gets at them."""

from collections.abc import AsyncIterable, AsyncIterator, Collection
from pathlib import Path
from typing import Protocol

from attrs import frozen

from aigen.domain.model.media import MediaType, StoredMedia


@frozen(kw_only=True)
class Accept:
    """What may be stored: these types, up to `size` bytes, no side longer than `longest_side`."""

    types: Collection[MediaType]
    size: int
    longest_side: int | None = None


class MediaFiles(Protocol):
    """What a worker needs: to store films and to read the pictures that they begin with.

    Every method but `has_room` raises StorageFull while the files cannot be got at.
    """

    async def put(
        self, folder: str, name: str, chunks: AsyncIterable[bytes], accept: Accept
    ) -> StoredMedia:
        """Store a stream under `folder` + `name` + the extension of its type, durably and whole.

        The type is told from the bytes. A file of that key is replaced. Raises MediaRejected
        (wrong type, too large, too wide) and StorageFull; whatever `chunks` raises passes
        through; in each case nothing stays behind.
        """
        ...

    async def read(self, media: StoredMedia) -> bytes:
        """The whole file, for small ones. Raises NotFound."""
        ...

    async def has_room(self) -> bool:
        """Whether files can be stored: the configured reserve of space is free, the place where
        they lie answers."""
        ...


class MediaStore(MediaFiles, Protocol):
    """All that can be done with files by those who live beside them."""

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """The file in pieces, of which few are in memory at a time. Raises NotFound."""
        ...

    async def copy(self, media: StoredMedia, folder: str) -> StoredMedia:
        """The same file once more, in another folder. Raises NotFound."""
        ...

    async def remove(self, prefix: str) -> None:
        """Delete one file or, if `prefix` ends with a slash, a folder with everything in it.

        Nothing there is no error.
        """
        ...

    def all_keys(self) -> AsyncIterator[str]:
        """The keys of all whole files, in no order."""
        ...

    async def path(self, key: str) -> Path | None:
        """Where the file lies on this machine; None when there is none or it lies elsewhere."""
        ...

    async def digest(self, key: str) -> str | None:
        """The SHA-256 of what is stored now, in hex; None when nothing is."""
        ...


class MediaLinks(Protocol):
    @property
    def origin(self) -> str:
        """Where all links lead, as a page's policy names it: `https://host:port`."""
        ...

    def link(self, key: str) -> str:
        """An address at which a browser can read the file for at most five minutes."""
        ...
