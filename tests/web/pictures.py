"""Pictures to upload."""

import struct
import zlib
from io import BytesIO


def png(width: int = 8, height: int = 8) -> bytes:
    """A grey picture."""
    rows = (b"\0" + b"\x80" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def upload(name: str = "fox.png", content: bytes | None = None) -> tuple[BytesIO, str]:
    """A file as Flask's test client sends it."""
    return BytesIO(png() if content is None else content), name
