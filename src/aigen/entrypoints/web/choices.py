"""What the models on offer let one choose, and what it costs."""

from collections.abc import Iterable, Mapping
from typing import Any

#: Fields of the forms, and where a model of the API lists what they may be.
IMAGE_FIELDS = {"aspect_ratio": "aspect_ratios", "image_size": "resolutions", "size": "sizes"}
VIDEO_FIELDS = {
    "aspect_ratio": "aspect_ratios",
    "resolution": "resolutions",
    "duration": "durations",
}

Choices = dict[str, list[str]]

_MEGAPIXELS = {"512": 0.25, "1K": 1, "2K": 4, "4K": 16}


def all_choices(models: Iterable[Mapping[str, Any]], fields: Mapping[str, str]) -> Choices:
    """What any of the models offers, field by field."""
    listed = [choices_of(model, fields) for model in models]
    return {
        field: _ordered(value for choices in listed for value in choices[field]) for field in fields
    }


def by_model(
    models: Iterable[Mapping[str, Any]], fields: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """For scripts: what each model offers, and as `image` whether it takes a picture. One that
    states nothing at all may be asked for anything."""
    models = tuple(models)
    anything = all_choices(models, fields)
    return {
        model["id"]: {
            **(choices_of(model, fields) if _states_something(model, fields) else anything),
            "image": model["image_input"],
        }
        for model in models
    }


def choices_of(model: Mapping[str, Any], fields: Mapping[str, str]) -> Choices:
    """What the model states. Sizes in pixels are for those models alone that know nothing else."""
    choices = {field: [str(value) for value in model[key] or ()] for field, key in fields.items()}
    if choices.get("aspect_ratio") or choices.get("image_size"):
        choices.pop("size", None)
    return {field: choices.get(field, []) for field in fields}


def _states_something(model: Mapping[str, Any], fields: Mapping[str, str]) -> bool:
    return any(model[key] for key in fields.values())


def _ordered(values: Iterable[str]) -> list[str]:
    """Each once; numbers by size."""
    found = list(dict.fromkeys(values))
    return sorted(found, key=int) if all(value.isdecimal() for value in found) else found


# --- prices ---------------------------------------------------------------------------------


def estimate(kind: str, model: Mapping[str, Any] | None, wanted: Mapping[str, str]) -> float | None:
    """About how many dollars a request will cost, by the catalogue's prices; None if they do not
    tell. What is left to the model counts as the dearest that it may be."""
    if model is None:
        return None
    prices = {price["per"]: float(price["usd"]) for price in model["pricing"]}
    if kind == "image":
        return _image(prices, wanted)
    return _video(prices, model["durations"] or (), wanted)


def _image(prices: Mapping[str, float], wanted: Mapping[str, str]) -> float | None:
    resolution = wanted.get("image_size", "")
    one = _dearest(prices, "output_image", " ", resolution)
    if one is None:
        megapixel = _dearest(prices, "output_megapixel", " ", resolution)
        count = _MEGAPIXELS.get(resolution or "1K")
        one = megapixel * count if megapixel and count else None
    return one and one * _number(wanted.get("n"), 1)


def _video(
    prices: Mapping[str, float], durations: Iterable[int], wanted: Mapping[str, str]
) -> float | None:
    resolution = wanted.get("resolution", "")
    seconds = _number(wanted.get("duration"), max(durations, default=0))
    second = _dearest(prices, "per-video-second", "-", resolution)
    if second and seconds:
        return second * seconds
    return _dearest(prices, "generate", "-", resolution)


def _dearest(prices: Mapping[str, float], per: str, joint: str, variant: str) -> float | None:
    if variant:
        return prices.get(f"{per}{joint}{variant}", prices.get(per)) or None
    found = (usd for name, usd in prices.items() if name == per or name.startswith(per + joint))
    return max(found, default=None) or None


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() else otherwise
