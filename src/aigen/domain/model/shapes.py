"""Pixels, and the aspect ratios and resolutions that come nearest to them."""

import math
import re
from collections.abc import Iterable

from attrs import frozen

from aigen.domain.model.errors import InvalidRequest

_PIXELS = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")
_RATIO = re.compile(r"([1-9]\d{0,2}(?:\.\d+)?):([1-9]\d{0,2}(?:\.\d+)?)")
_LINES = re.compile(r"(\d{3,4})p")

#: What a model that does not say is taken to know.
PICTURE_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
PICTURE_RESOLUTIONS = ("1K", "2K", "4K")
FILM_RATIOS = ("16:9", "9:16", "1:1")
FILM_RESOLUTIONS = ("480p", "720p", "1080p", "4K")

#: The side of a square picture of each resolution, and the shorter side of a film.
_SQUARES = {"512": 512, "0.5K": 512, "768": 768, "1K": 1024, "1.5K": 1536, "2K": 2048, "4K": 4096}
_SHORT_SIDES = {"1K": 1080, "2K": 1440, "4K": 2160}


@frozen(kw_only=True)
class Pixels:
    """The size of a picture or a film."""

    width: int
    height: int

    @classmethod
    def of(cls, field: str, size: str) -> "Pixels":
        """Read `1280x720`. Raises InvalidRequest."""
        found = _PIXELS.fullmatch(size)
        if found is None:
            raise InvalidRequest(f"`{field}` must be like 1280x720.", field=field)
        return cls(width=int(found[1]), height=int(found[2]))

    def ratio_among(self, offered: Iterable[str]) -> str | None:
        """The nearest aspect ratio, None if none can be read."""
        known = {name: ratio for name in offered if (ratio := _ratio(name)) is not None}
        return _nearest(self.width / self.height, known)

    def picture_resolution_among(self, offered: Iterable[str]) -> str | None:
        """The resolution whose pictures have about as many pixels."""
        known = {name: float(_SQUARES[name]) for name in offered if name in _SQUARES}
        return _nearest(math.sqrt(self.width * self.height), known)

    def film_resolution_among(self, offered: Iterable[str]) -> str | None:
        """The resolution whose films have about as long a shorter side."""
        known = {name: side for name in offered if (side := _short_side(name)) is not None}
        return _nearest(min(self.width, self.height), known)


def film_size(aspect_ratio: str | None, resolution: str | None) -> str | None:
    """The pixels of a film of that shape, None if they cannot be told."""
    ratio = None if aspect_ratio is None else _ratio(aspect_ratio)
    short = None if resolution is None else _short_side(resolution)
    if ratio is None or short is None:
        return None
    longer = 2 * round(short * max(ratio, 1 / ratio) / 2)
    return f"{longer}x{short:.0f}" if ratio >= 1 else f"{short:.0f}x{longer}"


def _ratio(name: str) -> float | None:
    found = _RATIO.fullmatch(name)
    return float(found[1]) / float(found[2]) if found else None


def _short_side(name: str) -> float | None:
    found = _LINES.fullmatch(name)
    return float(found[1]) if found else _SHORT_SIDES.get(name)


def _nearest(wanted: float, known: dict[str, float]) -> str | None:
    """By proportion: twice too large is as far away as half too small."""
    return min(known, key=lambda name: abs(math.log(known[name] / wanted)), default=None)
