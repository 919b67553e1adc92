"""Pictures that requests build on: checked, stored with the request's files, given back."""

import logging
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from aigen.domain.model.errors import DatabaseUnavailable, InvalidRequest, StorageFull
from aigen.domain.model.inputs import data_url, parse_input
from aigen.domain.model.media import (
    INPUT_PICTURES,
    LONGEST_SIDE,
    InputImage,
    MediaRejected,
    Picture,
    StoredMedia,
)
from aigen.ports.media import Accept, MediaFiles, MediaStore

logger = logging.getLogger(__name__)

#: A provider refuses larger ones (30 MB at OpenRouter).
_LARGEST = 30 * 2**20
_ACCEPT = Accept(types=INPUT_PICTURES, size=_LARGEST, longest_side=LONGEST_SIDE)


class Intake:
    """The pictures of a request that is being noted, stored in its folder.

    A block that fails takes them away again, unless the request may have been noted after all.
    """

    def __init__(self, media: MediaStore, folder: str) -> None:
        self._media = media
        self._folder = folder
        self._is_empty = True

    async def take(self, field: str, text: str | None, name: str) -> InputImage | None:
        """The picture that a request names: an address as it is, data stored as a file.

        Raises InvalidRequest if it is neither, StorageFull.
        """
        if text is None:
            return None
        found = parse_input(field, text)
        if isinstance(found, str):
            return InputImage(url=found)
        await self._must_have_room()
        try:
            stored = await store_picture(self._media, found, self._folder, name, _ACCEPT)
        except MediaRejected as error:
            raise InvalidRequest(f"`{field}`: {error.detail}", field=field) from error
        self._is_empty = False
        return InputImage(stored=stored)

    async def copy(self, image: InputImage | None) -> InputImage | None:
        """The picture of another request once more. Raises NotFound, StorageFull."""
        if image is None or image.stored is None:
            return image
        await self._must_have_room()
        stored = await self._media.copy(image.stored, self._folder)
        self._is_empty = False
        return InputImage(stored=stored)

    async def discard(self) -> None:
        """Take the pictures away again."""
        if self._is_empty:
            return
        try:
            await self._media.remove(self._folder)
        except (StorageFull, OSError):
            # Whoever asked is told what became of the request, not of its files.
            logger.exception("pictures that nobody needs could not be deleted")

    async def _must_have_room(self) -> None:
        if not await self._media.has_room():
            raise StorageFull

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # An outage can hide that the request was noted, and so can being cut off.
        if isinstance(error, Exception) and not isinstance(error, DatabaseUnavailable):
            await self.discard()


async def give_out(media: MediaFiles, image: InputImage | None) -> str | None:
    """The picture as a provider takes it: its address, or our file as a data URL.

    Raises NotFound when the file has gone.
    """
    if image is None or image.stored is None:
        return None if image is None else image.url
    return data_url(await media.read(image.stored), image.stored.media_type.value)


async def store_picture(
    media: MediaFiles, picture: Picture, folder: str, name: str, accept: Accept
) -> StoredMedia:
    """Store a picture that is in memory. Raises MediaRejected and StorageFull."""
    return await media.put(folder, name, _once(picture.content), accept)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
