"""Stored files: what they are, where they lie, which kinds are taken."""

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


#: What files of each type begin with, and at which byte.
_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", MediaType.PNG),
    (0, b"\xff\xd8\xff", MediaType.JPEG),
    (8, b"WEBP", MediaType.WEBP),
    (0, b"GIF87a", MediaType.GIF),
    (0, b"GIF89a", MediaType.GIF),
    (4, b"ftyp", MediaType.MP4),
    (0, b"\x1aE\xdf\xa3", MediaType.WEBM),
)

#: Every signature lies within so many bytes.
SIGNATURE_BYTES = 16


def type_of(head: bytes | bytearray) -> MediaType | None:
    """The type of a file that begins so, if it is one that is taken. What its sender calls it
    does not count."""
    for place, signature, media_type in _SIGNATURES:
        if head[place : place + len(signature)] == signature:
            return media_type
    return None


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


@frozen(kw_only=True)
class MediaRemoval:
    """Files still to be deleted: one, or a folder if `prefix` ends with a slash."""

    prefix: str


def folder_of_user(user_id: str) -> str:
    return f"{user_id}/"


def folder_of(user_id: str, object_id: str) -> str:
    """Where the files of one text, image or video job lie; it goes with its owner's."""
    return f"{folder_of_user(user_id)}{object_id}/"


class MediaRejected(AigenError):
    """The file is not of an accepted type, too large, or damaged."""

    code = "media_rejected"
