"""The provider's models."""

from aigen.domain.model.catalogue import Model
from aigen.entrypoints.api.schemas.values import Answer, Usd


class PriceOut(Answer):
    per: str
    usd: Usd


class ModelOut(Answer):
    """A list that is null was not stated by the provider: anything may be tried."""

    id: str
    name: str
    description: str
    input: list[str]
    output: list[str]
    image_input: bool
    aspect_ratios: list[str] | None
    resolutions: list[str] | None
    sizes: list[str] | None
    durations: list[int] | None
    pricing: list[PriceOut]

    @classmethod
    def of(cls, model: Model) -> "ModelOut":
        return cls(
            id=model.id,
            name=model.name,
            description=model.description,
            input=list(model.input),
            output=list(model.output),
            image_input=model.image_input,
            aspect_ratios=_listed(model.aspect_ratios),
            resolutions=_listed(model.resolutions),
            sizes=_listed(model.sizes),
            durations=None if model.durations is None else list(model.durations),
            pricing=[PriceOut(per=price.per, usd=price.usd) for price in model.pricing],
        )


class ModelsOut(Answer):
    items: list[ModelOut]


def _listed(found: tuple[str, ...] | None) -> list[str] | None:
    return None if found is None else list(found)
