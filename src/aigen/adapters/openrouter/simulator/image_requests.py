"""The body of POST /images, checked against what the model can do."""

import hashlib
from typing import Any

from attrs import frozen

from aigen.adapters.openrouter.simulator.attachments import attached_image
from aigen.adapters.openrouter.simulator.catalogue import image_model
from aigen.adapters.openrouter.simulator.errors import invalid
from aigen.adapters.openrouter.simulator.fields import Fields
from aigen.adapters.openrouter.simulator.image_models import ImageModel
from aigen.adapters.openrouter.simulator.sizes import (
    LARGEST_SIDE,
    PICTURE_SCALES,
    has_ratio,
    has_scale,
    picture_size,
    pixels_of,
)

# openrouter.md 3b, in its order.
ASPECT_RATIOS = (
    *("1:1", "1:2", "1:4", "1:8", "2:1", "2:3", "2.35:1", "3:2", "3:4", "4:1", "4:3", "4:5"),
    *("5:2", "5:4", "5:7", "7:5", "8:1", "9:16", "16:9", "9:19.5", "19.5:9", "9:20", "20:9"),
    *("9:21", "21:9", "auto"),
)
RESOLUTIONS = ("512", "768", "1K", "1.5K", "2K", "4K")
QUALITIES = ("auto", "low", "medium", "high", "xhigh", "max")
FORMATS = ("png", "jpeg", "webp", "svg")
BACKGROUNDS = ("auto", "transparent", "opaque")
MOST_IMAGES = 10
MOST_REFERENCES = 16


@frozen(kw_only=True)
class ImageRequest:
    """Some pictures wanted from one model."""

    model: ImageModel
    prompt: str
    count: int
    size: tuple[int, int]
    resolution: str
    references: tuple[str, ...]
    is_streamed: bool
    seed: int | None

    @classmethod
    def of(cls, body: Fields) -> "ImageRequest":
        chosen = image_model(body.needed_text("model"))
        prompt = body.needed_text("prompt")
        references = body.objects("input_references")
        if len(references) > MOST_REFERENCES:
            raise invalid(f"input_references: at most {MOST_REFERENCES}", "input_references")
        count = body.whole("n", 1, MOST_IMAGES) or 1
        _check_abilities(chosen, body, count=count, references=len(references))
        size, resolution = _pixels(chosen, body)
        return cls(
            model=chosen,
            prompt=prompt,
            count=count,
            size=size,
            resolution=resolution,
            references=tuple(attached_image(part) for part in references),
            is_streamed=body.flag("stream") or False,
            seed=body.whole("seed"),
        )

    def picture_seed(self, number: int) -> str:
        parts = (self.model.id, self.prompt, *self.references, str(self.seed), str(number))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _check_abilities(chosen: ImageModel, body: Fields, *, count: int, references: int) -> None:
    asked: dict[str, Any] = {
        "aspect_ratio": body.choice("aspect_ratio", ASPECT_RATIOS),
        "resolution": body.choice("resolution", RESOLUTIONS),
        "quality": body.choice("quality", QUALITIES),
        "output_format": body.choice("output_format", FORMATS),
        "background": body.choice("background", BACKGROUNDS),
        "output_compression": body.whole("output_compression", 0, 100),
        "seed": body.whole("seed"),
        "n": count if count > 1 else None,
        "input_references": references or None,
    }
    for name, value in asked.items():
        ability = chosen.parameters.get(name)
        if value is not None and (ability is None or not ability.takes(value)):
            raise invalid(f"{chosen.id} does not support {name}: {value}", name)


def _pixels(chosen: ImageModel, body: Fields) -> tuple[tuple[int, int], str]:
    """Width and height, and the resolution that they cost."""
    ratio, resolution, size = (body.text(name) for name in ("aspect_ratio", "resolution", "size"))
    if size is None or size in PICTURE_SCALES:
        return _tier(chosen, ratio, resolution, size)
    pixels = pixels_of(size)
    ability = chosen.parameters.get("size")
    if pixels is None or max(pixels) > LARGEST_SIDE or ability is None or not ability.takes(size):
        raise invalid(f"{chosen.id} does not support size: {size}", "size")
    if ratio not in {None, "auto"} and not has_ratio(pixels, str(ratio)):
        raise invalid(f"size {size} conflicts with aspect_ratio {ratio}", "size")
    if resolution is not None and not has_scale(pixels, resolution):
        raise invalid(f"size {size} conflicts with resolution {resolution}", "size")
    nearest = min(chosen.prices, key=lambda tier: not has_scale(pixels, tier))
    return pixels, nearest


def _tier(
    chosen: ImageModel, ratio: str | None, resolution: str | None, size: str | None
) -> tuple[tuple[int, int], str]:
    if size is not None and resolution not in {None, size}:
        raise invalid(f"size {size} conflicts with resolution {resolution}", "size")
    tier = resolution or size or chosen.default_resolution
    if tier not in chosen.prices:
        raise invalid(f"{chosen.id} does not support size: {tier}", "size")
    return picture_size(ratio or "1:1", tier), tier
