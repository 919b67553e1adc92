"""What a file says of itself while it passes by: type, size, digest, width and height."""

import hashlib
import io

import imagesize

from aigen.domain.model.media import (
    PICTURES,
    SIGNATURE_BYTES,
    MediaRejected,
    MediaType,
    StoredMedia,
    type_of,
)
from aigen.ports.media import Accept

#: A JPEG may carry a large preview before it says how wide it is.
_HEAD_BYTES = 512 * 1024


class Inspection:
    """Of one file, chunk by chunk; nothing is kept of it but its head."""

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
        if len(self._head) < _HEAD_BYTES:
            self._head += chunk[: _HEAD_BYTES - len(self._head)]
            if len(self._head) >= SIGNATURE_BYTES:
                self.known_type()  # nobody downloads a gigabyte of something else

    def known_type(self) -> MediaType:
        """The type that the bytes so far are of. Raises MediaRejected."""
        media_type = type_of(self._head)
        if media_type is None or media_type not in self._accept.types:
            names = ", ".join(sorted(accepted.value for accepted in self._accept.types))
            raise MediaRejected(f"The file is none of {names}.")
        return media_type

    def result(self, key: str) -> StoredMedia:
        """The whole file, `key` being its name without an extension. Raises MediaRejected."""
        media_type = self.known_type()
        sides = _sides_of(bytes(self._head)) if media_type in PICTURES else None
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


def _sides_of(head: bytes) -> tuple[int, int] | None:
    """Width and height of a picture in pixels; None if it does not say."""
    try:
        width, height = imagesize.get(io.BytesIO(head))
    except (ValueError, OSError, IndexError):
        return None
    return (int(width), int(height)) if width > 0 and height > 0 else None
