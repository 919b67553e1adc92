"""The models that a provider offers, in one shape for all kinds."""

from decimal import Decimal
from enum import StrEnum

from attrs import frozen

from aigen.domain.model.errors import InvalidRequest


class Output(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"


@frozen(kw_only=True)
class Price:
    """US dollars `per` something: `prompt_token`, `image`, `second`, … in the provider's words."""

    per: str
    usd: Decimal


@frozen(kw_only=True)
class Model:
    """A model. A list that is None was not stated by the provider: anything may be tried."""

    id: str
    name: str
    description: str = ""
    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    image_input: bool = False
    aspect_ratios: tuple[str, ...] | None = None
    resolutions: tuple[str, ...] | None = None
    sizes: tuple[str, ...] | None = None
    durations: tuple[int, ...] | None = None
    pricing: tuple[Price, ...] = ()

    def price(self, per: str) -> Decimal | None:
        """US dollars per this, None if the provider does not say."""
        return next((price.usd for price in self.pricing if price.per == per), None)


def check_offered(field: str, value: object, offered: tuple[object, ...] | None) -> None:
    """Raise InvalidRequest, naming what there is, for a value that a model does not offer."""
    if value is not None and offered is not None and value not in offered:
        allowed = ", ".join(map(str, offered))
        raise InvalidRequest(
            f"This model does not offer `{field}` {value}: use {allowed}.", field=field
        )
