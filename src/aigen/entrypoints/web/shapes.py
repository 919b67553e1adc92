"""The shape of a picture or film before there is one."""

import re
from collections.abc import Mapping
from typing import Any

_PAIR = re.compile(r"([1-9]\d{0,4})[:x]([1-9]\d{0,4})")

Shape = tuple[int, int]


def shape(item: Mapping[str, Any], otherwise: Shape) -> Shape:
    """Width to height of what was asked for, by its aspect ratio or its size in pixels."""
    for field in ("aspect_ratio", "size"):
        if found := _PAIR.fullmatch(str(item.get(field) or "")):
            return int(found[1]), int(found[2])
    return otherwise
