"""PNGs are whole, of the right size and different from each other."""

import struct
import zlib

import pytest

from aigen.adapters.openrouter.simulator.pictures import SIGNATURE, picture
from aigen.adapters.openrouter.simulator.sizes import has_ratio, picture_size


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG, their checksums verified."""
    assert png.startswith(SIGNATURE)
    found, place = [], len(SIGNATURE)
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kind, data = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack_from(">I", png, place + 8 + length)
        assert checksum == zlib.crc32(kind + data)
        found.append((kind, data))
        place += length + 12
    return found


@pytest.mark.parametrize("size", [(1024, 1024), (1344, 768), (1, 1), (7, 500), (4096, 4096)])
def test_a_picture_is_a_valid_png(size: tuple[int, int]) -> None:
    width, height = size
    (first, header), (second, palette), (third, pixels), (last, nothing) = chunks(
        picture("a fox", width, height)
    )
    assert (first, second, third, last) == (b"IHDR", b"PLTE", b"IDAT", b"IEND")
    assert struct.unpack(">IIBBBBB", header) == (width, height, 8, 3, 0, 0, 0)
    assert len(palette) == 3 * 256
    rows = zlib.decompress(pixels)
    assert len(rows) == height * (width + 1)
    assert not any(rows[:: width + 1])  # filter type 0 in front of each row
    assert nothing == b""


def test_prompts_differ_visibly() -> None:
    def colours(seed: str) -> tuple[bytes, bytes]:
        parts = dict(chunks(picture(seed, 64, 64)))
        return parts[b"PLTE"], zlib.decompress(parts[b"IDAT"])

    looks = [colours(f"prompt {number}") for number in range(20)]
    assert len({palette for palette, _ in looks}) == 20
    assert len({pixels for _, pixels in looks}) == 20
    assert all(len(set(pixels)) > 30 for _, pixels in looks)


def test_a_picture_can_be_filled_up() -> None:
    png = picture("a fox", 64, 64, minimum_bytes=100_000)
    assert len(png) >= 100_000
    assert [kind for kind, _ in chunks(png)] == [b"IHDR", b"PLTE", b"IDAT", b"fiLl", b"IEND"]


@pytest.mark.parametrize("ratio", ["1:2", "1:8", "2.35:1", "7:5", "9:19.5", "20:9", "21:9"])
def test_ratios_without_a_table_entry_have_about_the_same_area(ratio: str) -> None:
    width, height = picture_size(ratio, "1K")
    assert has_ratio((width, height), ratio)
    assert width * height == pytest.approx(1024 * 1024, rel=0.05)
    assert picture_size(ratio, "2K") == (2 * width, 2 * height)
