"""MP4 files made with the standard library: the seed's scene with a light moving through it."""

import math
from collections.abc import Iterator
from fractions import Fraction

from attrs import evolve, frozen

from aigen.adapters.openrouter.simulator import h264
from aigen.adapters.openrouter.simulator.mp4 import Track, mp4
from aigen.adapters.openrouter.simulator.scenes import (
    Dice,
    Disc,
    Scene,
    paint,
    scene_of,
    shade,
)
from aigen.adapters.openrouter.simulator.sizes import movie_size

FRAMES_PER_SECOND = 12
MOST_BYTES = 460_000
_LIGHT_LAYER = 4
_SIDE = h264.MACROBLOCK
_MACROBLOCK_BYTES = 386


def movie(seed: str, ratio: Fraction, seconds: int) -> bytes:
    """A playable clip of that shape and length; long ones get fewer frames a second."""
    film = Film.of(seed, movie_size(ratio))
    frames = max(2, min(seconds * FRAMES_PER_SECOND, film.affordable_frames()))
    track = Track(
        width=film.width,
        height=film.height,
        seconds=seconds,
        sequence_parameters=h264.sequence_parameters(film.width, film.height),
        picture_parameters=h264.picture_parameters(),
        samples=tuple(film.samples(frames)),
    )
    return mp4(track)


@frozen(kw_only=True)
class Film:
    """A still background, padded to whole macroblocks, and the course of the light over it."""

    width: int
    height: int
    background: list[bytes]
    inks: "Inks"
    light: Disc
    turns: tuple[int, int]

    @classmethod
    def of(cls, seed: str, size: tuple[int, int]) -> "Film":
        scene = scene_of(seed)
        dice = Dice(f"light {seed}")
        return cls(
            width=size[0],
            height=size[1],
            background=_padded([bytes(row) for row in scene.rows(*size)]),
            inks=Inks.of(scene),
            light=Disc(x=0.5, y=0.5, radius=dice.between(0.08, 0.1), layer=_LIGHT_LAYER),
            turns=((1, 2), (2, 1), (1, 3), (3, 2))[int(dice.between(0, 3.999))],
        )

    def affordable_frames(self) -> int:
        """How many frames fit into MOST_BYTES: the first one whole, then what the light touches."""
        across = 2 * self.light.radius * min(self.width, self.height) / _SIDE + 1.7
        left = MOST_BYTES - self._columns() * len(self.background) // _SIDE * _MACROBLOCK_BYTES
        return int(left / (across * across * _MACROBLOCK_BYTES))

    def samples(self, frames: int) -> Iterator[bytes]:
        columns, lines = self._columns(), len(self.background) // _SIDE
        everywhere = [(column, line) for line in range(lines) for column in range(columns)]
        touched: set[tuple[int, int]] = set()
        shown: list[bytes] = []
        for number in range(frames):
            light = self._light_at(number / frames)
            rows = self._lit(light)
            before, touched = touched, self._touched(light)
            if number == 0:
                shown = [self.inks.macroblock(rows, *place) for place in everywhere]
                yield h264.whole_frame(shown)
                continue
            changed = {}
            for column, line in before | touched:
                address = line * columns + column
                samples = self.inks.macroblock(rows, column, line)
                if samples != shown[address]:
                    changed[address] = shown[address] = samples
            yield h264.changed_frame(number, changed, len(everywhere))

    def _columns(self) -> int:
        return len(self.background[0]) // _SIDE

    def _light_at(self, time: float) -> Disc:
        turn = 2 * math.pi * time
        x = 0.5 + 0.4 * math.sin(self.turns[0] * turn)
        y = 0.5 + 0.36 * math.sin(self.turns[1] * turn + 1)
        return evolve(self.light, x=x, y=y)

    def _lit(self, light: Disc) -> list[bytes]:
        """The background with the light on it; rows that it doesn't touch are shared."""
        rows = list(self.background)
        top, bottom = light.bounds(self.width, self.height)
        for y in range(max(top, 0), min(bottom, self.height)):
            row = bytearray(rows[y])
            ink = bytes((shade(light, y, top, bottom),)) * self.width
            paint(row, light, y, (self.width, self.height), ink)
            rows[y] = bytes(row)
        return rows

    def _touched(self, light: Disc) -> set[tuple[int, int]]:
        radius = light.radius * min(self.width, self.height) + 1
        x, y = light.x * self.width, light.y * self.height
        return {
            (column, line)
            for line in range(int(max(y - radius, 0)) // _SIDE, int(y + radius) // _SIDE + 1)
            for column in range(int(max(x - radius, 0)) // _SIDE, int(x + radius) // _SIDE + 1)
            if column < self._columns() and line * _SIDE < len(self.background)
        }


@frozen(kw_only=True)
class Inks:
    """The palette in YCbCr (BT.601, studio range), as tables for bytes.translate."""

    luma: bytes
    blue: bytes
    red: bytes

    @classmethod
    def of(cls, scene: Scene) -> "Inks":
        inks = [(red / 255, green / 255, blue / 255) for red, green, blue in scene.palette]
        return cls(
            luma=bytes(round(16 + 65.5 * r + 128.6 * g + 24.9 * b) for r, g, b in inks),
            blue=bytes(round(128 - 37.8 * r - 74.2 * g + 112 * b) for r, g, b in inks),
            red=bytes(round(128 + 112 * r - 93.8 * g - 18.2 * b) for r, g, b in inks),
        )

    def macroblock(self, rows: list[bytes], column: int, line: int) -> bytes:
        """16 x 16 luma samples, then 8 x 8 of each colour difference."""
        left, top = column * _SIDE, line * _SIDE
        fine = b"".join([row[left : left + 16] for row in rows[top : top + 16]])
        coarse = b"".join([row[left : left + 16 : 2] for row in rows[top : top + 16 : 2]])
        return b"".join(
            (
                fine.translate(self.luma),
                coarse.translate(self.blue),
                coarse.translate(self.red),
            )
        )


def _padded(rows: list[bytes]) -> list[bytes]:
    wide = [row + row[-1:] * (-len(row) % _SIDE) for row in rows]
    return wide + wide[-1:] * (-len(wide) % _SIDE)
