"""Measuring a picture by its first bytes."""

import io

import imagesize

#: A JPEG may carry a large preview before it says how wide it is.
HEAD_BYTES = 512 * 1024


def sides_of(head: bytes) -> tuple[int, int] | None:
    """Width and height of a picture in pixels; None if it does not say."""
    try:
        width, height = imagesize.get(io.BytesIO(head))
    except (ValueError, OSError, IndexError):
        return None
    return (int(width), int(height)) if width > 0 and height > 0 else None
