"""MP4s hold what players need: boxes, tables and H.264 samples that agree with each other."""

import struct
from fractions import Fraction

import pytest

from aigen.adapters.openrouter.simulator.movies import movie
from aigen.adapters.openrouter.simulator.sizes import movie_size, ratio_of

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl"}
RATIOS = ["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9", "9:21"]


def boxes(data: bytes, start: int = 0) -> dict[bytes, tuple[int, bytes]]:
    """All boxes by their kind: where the content begins, and the content."""
    found: dict[bytes, tuple[int, bytes]] = {}
    place = 0
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, content = data[place + 4 : place + 8], data[place + 8 : place + length]
        assert kind not in found
        found[kind] = (start + place + 8, content)
        if kind in CONTAINERS:
            found |= boxes(content, start + place + 8)
        place += length
    assert place == len(data)
    return found


def numbers(box: tuple[int, bytes], layout: str, at: int = 0) -> tuple[int, ...]:
    return struct.unpack_from(">" + layout, box[1], at)


def samples(clip: bytes) -> list[bytes]:
    """The samples as the index says, each without its length prefix."""
    found = boxes(clip)
    _, count = numbers(found[b"stsz"], "II", 4)
    sizes = numbers(found[b"stsz"], f"{count}I", 12)
    (place,) = numbers(found[b"stco"], "I", 8)
    assert place == found[b"mdat"][0]
    taken = []
    for size in sizes:
        sample = clip[place : place + size]
        assert struct.unpack_from(">I", sample) == (size - 4,)
        taken.append(sample[4:])
        place += size
    assert place == len(clip)
    return taken


def test_the_index_comes_before_the_media() -> None:
    clip = movie("a fox", Fraction(16, 9), 3)
    assert clip[4:8] == b"ftyp"
    assert clip.index(b"moov") < clip.index(b"mdat")


@pytest.mark.parametrize("seconds", [1, 3, 8, 12, 60])
def test_a_clip_lasts_as_long_as_asked_and_weighs_little(seconds: int) -> None:
    clip = movie("a fox", Fraction(16, 9), seconds)
    found = boxes(clip)
    assert numbers(found[b"mvhd"], "II", 12) == (1000, seconds * 1000)
    timescale, duration = numbers(found[b"mdhd"], "II", 12)
    assert Fraction(duration, timescale) == seconds
    entries, count, delta = numbers(found[b"stts"], "III", 4)
    assert (entries, count * delta) == (1, duration)
    assert len(samples(clip)) == count
    assert len(clip) < 500_000


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_clip_has_the_shape_asked_for(ratio: str) -> None:
    width, height = movie_size(ratio_of(ratio))
    found = boxes(movie("a fox", ratio_of(ratio), 2))
    assert Fraction(width, height) == ratio_of(ratio)
    assert width % 2 == height % 2 == 0
    assert numbers(found[b"tkhd"], "II", 76) == (width << 16, height << 16)
    assert numbers(found[b"stsd"], "HH", 8 + 8 + 24) == (width, height)


def test_a_shape_of_pixels_is_kept_nearly() -> None:
    width, height = movie_size(Fraction(854, 480))
    assert width / height == pytest.approx(854 / 480, rel=0.02)
    assert movie_size(Fraction(16, 9)) == (320, 180)


def test_the_first_sample_is_a_key_frame_of_raw_macroblocks() -> None:
    first, *others = samples(movie("a fox", Fraction(16, 9), 3))
    assert first[0] & 0x1F == 5
    assert 240 * 386 < len(first) < 240 * 386 + 100
    assert {sample[0] & 0x1F for sample in others} == {1}
    assert all(len(sample) < len(first) / 4 for sample in others)


def test_no_sample_holds_a_start_code() -> None:
    for sample in samples(movie("a fox", Fraction(1, 1), 8)):
        assert not any(code in sample for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))


def test_the_decoder_is_told_profile_and_parameter_sets() -> None:
    stsd = boxes(movie("a fox", Fraction(16, 9), 3))[b"stsd"][1]
    configuration = stsd[stsd.index(b"avcC") + 4 :]
    assert configuration[:6] == b"\x01\x42\xc0\x1e\xff\xe1"
    (length,) = struct.unpack_from(">H", configuration, 6)
    assert configuration[8] == 0x67
    assert configuration[8 + length : 8 + length + 1] == b"\x01"
    assert configuration[8 + length + 3] == 0x68


def test_something_moves_and_seeds_differ() -> None:
    clip = movie("a fox", Fraction(16, 9), 3)
    assert len(set(samples(clip))) == len(samples(clip))
    assert clip != movie("a hen", Fraction(16, 9), 3)
    assert clip == movie("a fox", Fraction(16, 9), 3)
