"""The models on offer, as the pickers show them."""

from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import groupby
from typing import Any

from attrs import frozen
from markupsafe import Markup, escape

from aigen.entrypoints.web.remembered import Remembered
from aigen.entrypoints.web.wording import model_price

#: What is picked for somebody who has never picked, if it is on offer.
_USUAL = (
    *("openai/gpt-4o-mini", "google/gemini-2.5-flash"),
    *("google/gemini-2.5-flash-image", "google/veo-3.1-lite"),
)


@frozen(eq=False)
class Offer:
    """The models for one kind of output. `items` are the API's objects."""

    items: tuple[dict[str, Any], ...]
    _options: str

    @classmethod
    def of(cls, items: Iterable[dict[str, Any]]) -> "Offer":
        ordered = tuple(sorted(items, key=lambda model: (_maker(model), _short(model))))
        return cls(ordered, "".join(_group(*found) for found in groupby(ordered, key=_maker)))

    def find(self, model_id: str) -> dict[str, Any] | None:
        return next((model for model in self.items if model["id"] == model_id), None)

    @cached_property
    def taking_pictures(self) -> "Offer":
        """Only those that can begin with a picture."""
        return Offer.of(model for model in self.items if model["image_input"])

    def preferred(self, *wanted: str) -> str:
        """The first of these that is on offer, else a usual one, else any."""
        for model_id in (*wanted, *_USUAL):
            if self.find(model_id):
                return model_id
        return str(self.items[0]["id"]) if self.items else ""

    def options(self, chosen: str) -> Markup:
        """The `<option>`s by maker, of which there may be hundreds, with one of them chosen."""
        value = f'value="{escape(chosen)}"'
        # Every part of it has been escaped when it was made.
        return Markup(self._options.replace(value, f"{value} selected", 1))  # noqa: S704


class Catalogue:
    """The API's models, asked for now and then."""

    def __init__(self) -> None:
        self._known: dict[str, Remembered[Offer]] = {
            output: Remembered() for output in ("text", "image", "video")
        }

    def offer(self, output: str, ask: Callable[..., Any]) -> Offer:
        """The models that make this output. Raises as the API does."""
        return self._known[output].get(
            lambda: Offer.of(ask("GET", f"/models?output={output}")["items"])
        )


def _group(maker: str, models: Iterable[dict[str, Any]]) -> str:
    options = (
        Markup('<option value="{}">{}{}</option>').format(
            model["id"], _short(model), f" · {price}" if (price := model_price(model)) else ""
        )
        for model in models
    )
    return Markup('<optgroup label="{}">{}</optgroup>').format(maker, Markup("").join(options))


def _maker(model: dict[str, Any]) -> str:
    """As in `OpenAI: GPT-4o-mini`, or the first part of the id."""
    maker, colon, _ = str(model["name"]).partition(": ")
    return maker if colon else str(model["id"]).partition("/")[0]


def _short(model: dict[str, Any]) -> str:
    return str(model["name"]).partition(": ")[2] or str(model["name"])
