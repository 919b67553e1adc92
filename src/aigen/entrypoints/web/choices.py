"""What the models on offer let one choose."""

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
