"""Pixels: what an aspect ratio, a resolution and a size mean."""

import math
import re
from fractions import Fraction

# openrouter.md 3a: the pixels of each aspect ratio at 1K.
PICTURE_SIZES = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
# Multiples of 1K: an assumption of the contract page, no source states them.
PICTURE_SCALES = {
    "512": 0.5,
    "0.5K": 0.5,
    "768": 0.75,
    "1K": 1.0,
    "1.5K": 1.5,
    "2K": 2.0,
    "4K": 4.0,
}
LARGEST_SIDE = 8192

_MOVIE_AREA = 320 * 180
_SIMPLE_RATIO = 64
_RATIO_TOLERANCE = 0.04  # 1344 x 768 is called 16:9 and is 1.6 % off
_SCALE_TOLERANCE = 0.3


def ratio_of(aspect_ratio: str) -> Fraction:
    """Width by height of "16:9" or "2.35:1"."""
    width, _, height = aspect_ratio.partition(":")
    return Fraction(width) / Fraction(height)


def pixels_of(size: str) -> tuple[int, int] | None:
    """The pixels of "1280x720", or None if it isn't written like that."""
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size)
    return (int(match[1]), int(match[2])) if match else None


def picture_size(aspect_ratio: str, resolution: str) -> tuple[int, int]:
    """Pixels of a picture: the table where it has the ratio, else about the same area."""
    scale = PICTURE_SCALES[resolution]
    known = PICTURE_SIZES.get("1:1" if aspect_ratio == "auto" else aspect_ratio)
    if known is None:
        ratio = float(ratio_of(aspect_ratio))
        height = 16 * round(1024 / math.sqrt(ratio) / 16)
        known = (16 * round(height * ratio / 16), height)
    return int(known[0] * scale), int(known[1] * scale)


def has_ratio(size: tuple[int, int], aspect_ratio: str) -> bool:
    wanted = float(ratio_of(aspect_ratio))
    return abs(size[0] / size[1] / wanted - 1) <= _RATIO_TOLERANCE


def has_scale(size: tuple[int, int], resolution: str) -> bool:
    wanted = 1024 * PICTURE_SCALES[resolution]
    return abs(math.sqrt(size[0] * size[1]) / wanted - 1) <= _SCALE_TOLERANCE


def lines_of(resolution: str) -> int | None:
    """The short side that a video resolution promises: 720 for "720p", 2160 for "4K"."""
    names = {"1K": 1024, "2K": 1440, "4K": 2160}
    if resolution.endswith("p") and resolution[:-1].isdigit():
        return int(resolution[:-1])
    return names.get(resolution)


def movie_size(ratio: Fraction) -> tuple[int, int]:
    """Small even sides with exactly that ratio where it is a simple one: 320 x 180 for 16:9."""
    wide, high = ratio.numerator, ratio.denominator
    if max(wide, high) > _SIMPLE_RATIO:
        width = math.sqrt(_MOVIE_AREA * ratio)
        return 2 * round(width / 2), 2 * round(width / ratio / 2)
    times = max(1, round(math.sqrt(_MOVIE_AREA / (wide * high))))
    if times % 2 and (wide % 2 or high % 2):
        times += 1
    return wide * times, high * times
