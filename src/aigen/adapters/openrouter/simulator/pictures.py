"""PNG files made with the standard library."""

import struct
import zlib

from aigen.adapters.openrouter.simulator.scenes import scene_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_INDEXED_COLOUR = 3


def picture(seed: str, width: int, height: int, minimum_bytes: int = 0) -> bytes:
    """A PNG of that size showing the seed's scene.

    Indexed colour keeps 4096 x 4096 at one byte a pixel. `minimum_bytes` fills the file up in a
    private chunk that viewers skip, since the real pictures weigh megabytes and clients have
    broken on long lines.
    """
    scene = scene_of(seed)
    header = struct.pack(">IIBBBBB", width, height, 8, _INDEXED_COLOUR, 0, 0, 0)
    palette = b"".join(bytes(colour) for colour in scene.palette)
    packer = zlib.compressobj(level=1)
    pixels = [packer.compress(b"\0" + row) for row in scene.rows(width, height)]
    pixels.append(packer.flush())
    parts = [
        SIGNATURE,
        _chunk(b"IHDR", header),
        _chunk(b"PLTE", palette),
        _chunk(b"IDAT", b"".join(pixels)),
        _chunk(b"IEND", b""),
    ]
    missing = minimum_bytes - sum(map(len, parts))
    if missing > 0:
        parts.insert(-1, _chunk(b"fiLl", bytes(missing)))
    return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
