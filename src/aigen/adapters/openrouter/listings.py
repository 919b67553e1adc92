"""The entries of the provider's three lists of models, merged into one shape."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from attrs import evolve

from aigen.adapters.openrouter.wire import items, line, mapping, price, words
from aigen.domain.model.catalogue import Model, Output, Price
from aigen.domain.model.limits import (
    LONGEST_FILM_SECONDS,
    LONGEST_MODEL,
    LONGEST_OPTION,
    can_be_stored,
)

_LONGEST_NAME = 200
_LONGEST_DESCRIPTION = 10_000
_MOST_VALUES = 200
#: Per token, though the provider's names do not say so.
_PER_TOKEN = {"prompt": "prompt_token", "completion": "completion_token"}
#: Among the prices and none.
_NO_PRICE = "discount"


def merged(
    everything: Iterable[object], images: Iterable[object], videos: Iterable[object]
) -> tuple[Model, ...]:
    """One model for each id, in the order of the first list, with what the others know besides."""
    models: dict[str, Model] = {}
    for entries, read in ((everything, _plain), (images, _image), (videos, _video)):
        for entry in map(mapping, entries):
            model_id = entry.get("id")
            if _is_id(model_id):
                models[model_id] = read(entry, models.get(model_id) or _named(model_id, entry))
    return tuple(map(_without_zeros, models.values()))


def _named(model_id: str, entry: Mapping[str, Any]) -> Model:
    return Model(
        id=model_id,
        name=line(entry.get("name"), _LONGEST_NAME) or model_id,
        description=words(entry.get("description"))[:_LONGEST_DESCRIPTION],
    )


def _plain(entry: Mapping[str, Any], known: Model) -> Model:
    """An entry of /models."""
    architecture = mapping(entry.get("architecture"))
    inputs = _texts(architecture.get("input_modalities")) or known.input
    return evolve(
        known,
        input=inputs,
        output=_texts(architecture.get("output_modalities")) or known.output,
        image_input=known.image_input or "image" in inputs,
        pricing=_prices(entry.get("pricing")) or known.pricing,
    )


def _image(entry: Mapping[str, Any], known: Model) -> Model:
    """An entry of /images/models: an option is described by the values that it may have."""
    plain = _plain(entry, known)
    options = mapping(entry.get("supported_parameters"))

    def values(option: str) -> tuple[str, ...]:
        return _texts(mapping(options.get(option)).get("values"))

    return evolve(
        plain,
        output=plain.output or (Output.IMAGE.value,),
        image_input=plain.image_input or "input_references" in options,
        aspect_ratios=values("aspect_ratio") or plain.aspect_ratios,
        resolutions=values("resolution") or plain.resolutions,
        sizes=values("size") or plain.sizes,
    )


def _video(entry: Mapping[str, Any], known: Model) -> Model:
    """An entry of /videos/models, the only list that knows what a film costs."""
    plain = _plain(entry, known)
    return evolve(
        plain,
        output=plain.output or (Output.VIDEO.value,),
        image_input=plain.image_input or bool(_texts(entry.get("supported_frame_images"))),
        aspect_ratios=_texts(entry.get("supported_aspect_ratios")) or plain.aspect_ratios,
        resolutions=_texts(entry.get("supported_resolutions")) or plain.resolutions,
        sizes=_texts(entry.get("supported_sizes")) or plain.sizes,
        durations=_seconds(entry.get("supported_durations")) or plain.durations,
        pricing=_prices(entry.get("pricing_skus")) or plain.pricing,
    )


def _prices(pricing: object) -> tuple[Price, ...]:
    """What can be read as a price; `-1` stands for one that varies and says nothing."""
    lines = [(name, value) for name, value in mapping(pricing).items() if name != _NO_PRICE]
    found = ((line(_PER_TOKEN.get(name, name), LONGEST_OPTION), price(usd)) for name, usd in lines)
    return tuple(Price(per=per, usd=usd) for per, usd in found if per and usd is not None)


def _without_zeros(model: Model) -> Model:
    """The model, but for prices of 0 if it makes pictures or films: those are priced elsewhere,
    and a 0 for their tokens does not make them free."""
    if not {Output.IMAGE, Output.VIDEO}.intersection(model.output):
        return model
    return evolve(model, pricing=tuple(price for price in model.pricing if price.usd))


def _texts(values: object) -> tuple[str, ...]:
    texts = (line(value, LONGEST_OPTION) for value in items(values)[:_MOST_VALUES])
    return tuple(text for text in texts if text)


def _seconds(values: object) -> tuple[int, ...]:
    """Film lengths, ascending; the provider gives them in any order."""
    whole = {value for value in items(values)[:_MOST_VALUES] if type(value) is int}
    return tuple(sorted(value for value in whole if 0 < value <= LONGEST_FILM_SECONDS))


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_MODEL and can_be_stored(value)
