"""Bundles as zips that are written while they are sent: of whatever size, a few pieces are in
memory."""

from collections.abc import AsyncIterator
from zipfile import ZipFile, ZipInfo

from aigen.domain.model.bundles import Bundle, BundledFile
from aigen.domain.model.errors import NotFound
from aigen.domain.model.texts import Text
from aigen.entrypoints.api.schemas.history import ManifestOut
from aigen.ports.media import MediaStore

_MANIFEST = "manifest.json"
#: A plain file that its owner may write and everybody may read.
_MODE = 0o100644 << 16


class _Outlet:
    """What a zip file is written to, and taken from piece by piece; it cannot go back."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._written.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """There is nothing to be closed."""

    def take(self) -> bytes:
        """All that was written since it was last taken."""
        taken = b"".join(self._written)
        self._written.clear()
        return taken


async def zipped(bundle: Bundle, media: MediaStore) -> AsyncIterator[bytes]:
    """The files as a zip, and at the end `manifest.json`, which says what they are.

    Pictures and films are stored as they are, since they are compressed already. A file that has
    gone is noted in the manifest; one that breaks off breaks all of it off, so that nobody takes
    half of it for the whole. Raises StorageFull.
    """
    outlet, missing = _Outlet(), set[str]()
    with ZipFile(outlet, "w") as packed:
        for file in bundle.files:
            try:
                pieces = await _pieces(file, media)
            except NotFound:
                missing.add(file.name)
                continue
            with packed.open(_entry(file), "w") as entry:
                async for piece in pieces:
                    entry.write(piece)
                    yield outlet.take()
        manifest = ManifestOut.of(bundle, missing)
        packed.writestr(_MANIFEST, manifest.model_dump_json(indent=2))
    yield outlet.take()


async def _pieces(file: BundledFile, media: MediaStore) -> AsyncIterator[bytes]:
    if isinstance(file.content, Text):
        return _once(file.content.text.encode())
    return await media.stream(file.content.key)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _entry(file: BundledFile) -> ZipInfo:
    entry = ZipInfo(file.name, file.generation.created_at.timetuple()[:6])
    entry.external_attr = _MODE
    # Of a known size, it is told by itself whether it needs the form for more than 2 GiB.
    entry.file_size = 0 if isinstance(file.content, Text) else file.content.size
    return entry
