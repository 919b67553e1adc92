"""What a prompt looks like before it is pixels: a palette, a sky and a few shapes."""

import colorsys
import hashlib
import math
from collections.abc import Iterator
from typing import Protocol

from attrs import frozen

SKY_SHADES = 96
LAYERS = 5
LAYER_SHADES = 32  # 96 + 5 * 32 = 256, so that a pixel is one byte


class Shape(Protocol):
    """Something that covers one span of each pixel row it crosses."""

    @property
    def layer(self) -> int: ...

    def bounds(self, width: int, height: int) -> tuple[int, int]:
        """First row and the row after the last one, perhaps outside of the picture."""

    def span(self, y: int, width: int, height: int) -> tuple[int, int]:
        """First column and the column after the last one, perhaps outside of the picture."""


@frozen(kw_only=True)
class Disc:
    """A circle; the centre in parts of width and height, the radius in parts of the short side."""

    x: float
    y: float
    radius: float
    layer: int

    def bounds(self, width: int, height: int) -> tuple[int, int]:
        radius = self.radius * min(width, height)
        return math.floor(self.y * height - radius), math.ceil(self.y * height + radius)

    def span(self, y: int, width: int, height: int) -> tuple[int, int]:
        radius = self.radius * min(width, height)
        rise = y + 0.5 - self.y * height
        half = math.sqrt(max(radius * radius - rise * rise, 0.0))
        return round(self.x * width - half), round(self.x * width + half)


@frozen(kw_only=True)
class Peak:
    """A triangle standing on the lower edge; all in parts of width and height."""

    x: float
    top: float
    slope: float
    layer: int

    def bounds(self, width: int, height: int) -> tuple[int, int]:
        return math.floor(self.top * height), height

    def span(self, y: int, width: int, height: int) -> tuple[int, int]:
        half = ((y + 0.5) / height - self.top) * self.slope * width
        return round(self.x * width - half), round(self.x * width + half)


@frozen(kw_only=True)
class Scene:
    """A painting in 256 colours: the sky's shades first, then those of each layer."""

    palette: tuple[tuple[int, int, int], ...]
    tilt: float
    shapes: tuple[Shape, ...]

    def rows(self, width: int, height: int) -> Iterator[bytearray]:
        """The picture from top to bottom, one byte (a palette index) a pixel."""
        sky = self._sky(width, height)
        solid = [bytes((ink,)) * width for ink in range(256)]
        shapes = [(shape, *shape.bounds(width, height)) for shape in self.shapes]
        for y in range(height):
            start = int(y * self.tilt)
            row = bytearray(sky[start : start + width])
            for shape, top, bottom in shapes:
                if top <= y < bottom:
                    paint(row, shape, y, (width, height), solid[shade(shape, y, top, bottom)])
            yield row

    def _sky(self, width: int, height: int) -> bytes:
        length = width + int(height * self.tilt) + 1
        return bytes(place * SKY_SHADES // length for place in range(length))


def paint(row: bytearray, shape: Shape, y: int, size: tuple[int, int], ink: bytes) -> None:
    """Cover the shape's part of a row. Slices of a solid row: no Python per pixel."""
    left, right = shape.span(y, *size)
    left, right = max(left, 0), min(right, size[0])
    if left < right:
        row[left:right] = ink[: right - left]


def shade(shape: Shape, y: int, top: int, bottom: int) -> int:
    step = (y - top) * LAYER_SHADES // max(bottom - top, 1)
    return SKY_SHADES + shape.layer * LAYER_SHADES + step


class Dice:
    """Numbers that follow from a seed and from nothing else."""

    def __init__(self, seed: str) -> None:
        self._bytes = iter(hashlib.shake_128(seed.encode()).digest(1024))

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * (next(self._bytes) * 256 + next(self._bytes)) / 65535


def scene_of(seed: str) -> Scene:
    """The scene of a seed: always the same one; other seeds look visibly different."""
    dice = Dice(seed)
    hue = dice.between(0, 1)
    compose = (_mountains, _hills, _bubbles)[int(dice.between(0, 2.999))]
    return Scene(
        palette=_palette(dice, hue),
        tilt=dice.between(0.9, 2.2),
        shapes=tuple(compose(dice)),
    )


def _mountains(dice: Dice) -> Iterator[Shape]:
    yield _sun(dice)
    for layer, top in ((1, 0.42), (2, 0.58), (3, 0.74)):
        for place in range(4):
            yield Peak(
                x=(place + dice.between(0, 1)) / 4,
                top=top + dice.between(-0.1, 0.08),
                slope=dice.between(0.5, 0.9),
                layer=layer,
            )


def _hills(dice: Dice) -> Iterator[Shape]:
    yield _sun(dice)
    for layer, top in ((1, 0.55), (2, 0.68), (3, 0.82)):
        for place in range(3):
            radius = dice.between(0.6, 1.1)
            x = (place + dice.between(0, 1)) / 3
            yield Disc(x=x, y=top + dice.between(-0.07, 0.07) + radius, radius=radius, layer=layer)


def _bubbles(dice: Dice) -> Iterator[Shape]:
    for place in range(10):
        yield Disc(
            x=dice.between(0.02, 0.98),
            y=dice.between(0.02, 0.98),
            radius=dice.between(0.05, 0.30) * (1.4 - place / 10),
            layer=place % 4,
        )


def _sun(dice: Dice) -> Disc:
    return Disc(
        x=dice.between(0.2, 0.8), y=dice.between(0.2, 0.45), radius=dice.between(0.1, 0.2), layer=0
    )


def _palette(dice: Dice, hue: float) -> tuple[tuple[int, int, int], ...]:
    """Dusk colours: neighbours of one hue for land and sky, its warm complement for the light."""
    glow = hue + dice.between(0.42, 0.58)
    far = hue + dice.between(-0.12, 0.12)
    sky = _blend(_colour(hue, 0.65, 0.32), _colour(hue, 0.45, 0.78), SKY_SHADES // 2)
    sky += _blend(_colour(hue, 0.45, 0.78), _colour(glow, 0.28, 0.98), SKY_SHADES // 2)
    layers = (
        (_colour(glow, 0.18, 1.0), _colour(glow, 0.62, 0.98)),
        (_colour(far, 0.45, 0.70), _colour(far, 0.40, 0.88)),
        (_colour(far, 0.58, 0.48), _colour(hue, 0.50, 0.66)),
        (_colour(hue, 0.75, 0.20), _colour(far, 0.65, 0.40)),
        (_colour(glow, 0.05, 1.0), _colour(glow, 0.45, 1.0)),
    )
    return sky + tuple(ink for ends in layers for ink in _blend(*ends, LAYER_SHADES))


def _colour(hue: float, saturation: float, value: float) -> tuple[float, float, float]:
    return colorsys.hsv_to_rgb(hue % 1, saturation, value)


def _blend(
    start: tuple[float, float, float], end: tuple[float, float, float], steps: int
) -> tuple[tuple[int, int, int], ...]:
    def channel(index: int, place: float) -> int:
        return round(255 * (start[index] + (end[index] - start[index]) * place))

    places = [step / (steps - 1) for step in range(steps)]
    return tuple((channel(0, at), channel(1, at), channel(2, at)) for at in places)
