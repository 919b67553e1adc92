"""Pixels and the shapes that come nearest to them."""

import pytest

from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.shapes import (
    FILM_RATIOS,
    FILM_RESOLUTIONS,
    PICTURE_RATIOS,
    PICTURE_RESOLUTIONS,
    Pixels,
    film_size,
)


@pytest.mark.parametrize(
    ("size", "ratio", "resolution"),
    [
        ("1024x1024", "1:1", "1K"),
        ("1536x1024", "3:2", "1K"),
        ("1024x1792", "9:16", "1K"),
        ("1792x1024", "16:9", "1K"),
        ("2048x2048", "1:1", "2K"),
        ("3840x2160", "16:9", "2K"),
        ("4096x4096", "1:1", "4K"),
        ("1x99999", "9:16", "1K"),
    ],
)
def test_a_picture_has_the_nearest_shape(size: str, ratio: str, resolution: str) -> None:
    pixels = Pixels.of("size", size)
    assert pixels.ratio_among(PICTURE_RATIOS) == ratio
    assert pixels.picture_resolution_among(PICTURE_RESOLUTIONS) == resolution


@pytest.mark.parametrize(
    ("size", "ratio", "resolution"),
    [
        ("1280x720", "16:9", "720p"),
        ("720x1280", "9:16", "720p"),
        ("1792x1024", "16:9", "1080p"),
        ("3840x2160", "16:9", "4K"),
        ("640x640", "1:1", "720p"),
    ],
)
def test_a_film_has_the_nearest_shape(size: str, ratio: str, resolution: str) -> None:
    pixels = Pixels.of("size", size)
    assert pixels.ratio_among(FILM_RATIOS) == ratio
    assert pixels.film_resolution_among(FILM_RESOLUTIONS) == resolution


def test_names_that_cannot_be_read_are_passed_over() -> None:
    pixels = Pixels.of("size", "1280x720")
    assert pixels.ratio_among(["auto", "1:0", "4:3"]) == "4:3"
    assert pixels.ratio_among(["auto"]) is None
    assert pixels.picture_resolution_among(["huge"]) is None
    assert pixels.film_resolution_among(["huge", "480p"]) == "480p"


@pytest.mark.parametrize("size", ["", "auto", "0x1", "1280", "1280x", "1280 x 720", "100000x1"])
def test_what_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(InvalidRequest, match="`size`"):
        Pixels.of("size", size)


@pytest.mark.parametrize(
    ("ratio", "resolution", "size"),
    [
        ("16:9", "720p", "1280x720"),
        ("9:16", "720p", "720x1280"),
        ("16:9", "4K", "3840x2160"),
        ("1:1", "480p", "480x480"),
        (None, "720p", None),
        ("16:9", None, None),
        ("16:9", "huge", None),
    ],
)
def test_a_shape_has_pixels(ratio: str | None, resolution: str | None, size: str | None) -> None:
    assert film_size(ratio, resolution) == size
