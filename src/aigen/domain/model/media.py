"""Stored files: what they are, where they lie, which kinds are taken."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from attrs import frozen

from aigen.domain.model.errors import AigenError


class MediaType(StrEnum):
    """The allowlist. No SVG and no HTML: both can carry script."""

    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    GIF = "image/gif"
    MP4 = "video/mp4"
    WEBM = "video/webm"

    @property
    def extension(self) -> str:
        return {"jpeg": "jpg"}.get(self.name.lower(), self.name.lower())


#: What files of each type begin with; a dot stands for any byte.
_SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), MediaType.PNG),
    (re.compile(rb"\xff\xd8\xff"), MediaType.JPEG),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), MediaType.WEBP),
    (re.compile(rb"GIF8[79]a"), MediaType.GIF),
    (re.compile(rb"....ftyp", re.DOTALL), MediaType.MP4),
    (re.compile(rb"\x1aE\xdf\xa3"), MediaType.WEBM),
)

#: Every signature lies within so many bytes.
SIGNATURE_BYTES = 16


def type_of(head: bytes | bytearray) -> MediaType | None:
    """The type of a file that begins so, if it is one that is taken. What its sender calls it
    does not count."""
    kinds = (kind for signature, kind in _SIGNATURES if signature.match(head))
    return next(kinds, None)


PICTURES = frozenset({MediaType.PNG, MediaType.JPEG, MediaType.WEBP, MediaType.GIF})
INPUT_PICTURES = frozenset({MediaType.PNG, MediaType.JPEG, MediaType.WEBP})
FILMS = frozenset({MediaType.MP4, MediaType.WEBM})

LONGEST_SIDE = 8192


@frozen(kw_only=True)
class StoredMedia:
    """A file that lies safely in the media store. Width and height are pixels, if known."""

    key: str
    media_type: MediaType
    size: int
    sha256: str
    width: int | None = None
    height: int | None = None


@frozen(kw_only=True)
class Picture:
    """A picture in memory, as a provider sent it or a caller uploaded it; not yet trusted."""

    content: bytes


@frozen(kw_only=True)
class InputImage:
    """A picture that a request builds on: an address that the provider reads, or our own file."""

    url: str | None = None
    stored: StoredMedia | None = None


def files_of(*parts: StoredMedia | InputImage | None) -> tuple[StoredMedia, ...]:
    """The parts that are files of ours."""
    stored = (part.stored if isinstance(part, InputImage) else part for part in parts)
    return tuple(file for file in stored if file is not None)


def bytes_of(files: Iterable[StoredMedia]) -> int:
    """How much room the files take."""
    return sum(file.size for file in files)


@frozen(kw_only=True)
class MediaRemoval:
    """Files still to be deleted: one, or a folder if `prefix` ends with a slash."""

    prefix: str


def folder_of_user(user_id: str) -> str:
    return f"{user_id}/"


def folder_of(user_id: str, object_id: str) -> str:
    """Where the files of one text, image or video job lie; it goes with its owner's."""
    return f"{folder_of_user(user_id)}{object_id}/"


def film_name(epoch: int) -> str:
    """What a worker calls the film that it stores. The epoch keeps a worker that has lost the job
    from touching its successor's."""
    return f"video-{epoch}"


def film_keys(folder: str, epochs: Iterable[int]) -> Iterator[str]:
    """Where the films of these epochs may lie."""
    for epoch in epochs:
        for media_type in sorted(FILMS):
            yield f"{folder}{film_name(epoch)}.{media_type.extension}"


class MediaRejected(AigenError):
    """The file is not of an accepted type, too large, or damaged."""

    code = "media_rejected"
