"""Pictures that requests build on: checked, stored with the request's files, given back."""

from collections.abc import AsyncIterator

from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.inputs import data_url, parse_input
from aigen.domain.model.media import (
    INPUT_PICTURES,
    LONGEST_SIDE,
    InputImage,
    MediaRejected,
    Picture,
    StoredMedia,
)
from aigen.ports.media import Accept, MediaFiles

#: A provider refuses larger ones (30 MB at OpenRouter).
_LARGEST = 30 * 2**20
_ACCEPT = Accept(types=INPUT_PICTURES, size=_LARGEST, longest_side=LONGEST_SIDE)


async def take_in(
    media: MediaFiles, field: str, text: str | None, folder: str, name: str
) -> InputImage | None:
    """The picture that a request names: an address as it is, data stored as a file.

    Raises InvalidRequest if it is neither, StorageFull.
    """
    if text is None:
        return None
    found = parse_input(field, text)
    if isinstance(found, str):
        return InputImage(url=found)
    try:
        stored = await media.put(folder, name, _once(found.content), _ACCEPT)
    except MediaRejected as error:
        raise InvalidRequest(f"`{field}`: {error.detail}", field=field) from error
    return InputImage(stored=stored)


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
