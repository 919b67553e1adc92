"""The image models of the catalogue; names, abilities and prices resemble the real ones."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import frozen

from aigen.adapters.openrouter.simulator.capabilities import Capability, Choice, Flag, Span
from aigen.adapters.openrouter.simulator.listings import listing, token_pricing
from aigen.adapters.openrouter.simulator.sizes import PICTURE_SIZES, picture_size

CREATED = 1_759_870_431
LEGACY_SIZES = ("1024x1024", "1792x1024", "1024x1792")


@frozen(kw_only=True)
class ImageModel:
    """A model that draws; `prices` is USD per picture by resolution, the first is the default."""

    id: str
    name: str
    provider: str
    provider_slug: str
    description: str
    tokenizer: str
    prices: Mapping[str, Decimal]
    parameters: Mapping[str, Capability]
    inputs: tuple[str, ...] = ("text", "image")
    outputs: tuple[str, ...] = ("image",)
    on_chat: bool = True
    streams: bool = False
    passthrough: tuple[str, ...] = ()
    prompt_price: Decimal = Decimal("0.000002")
    completion_price: Decimal = Decimal("0.00001")
    created: int = CREATED

    @property
    def default_resolution(self) -> str:
        return next(iter(self.prices))

    def price(self, resolution: str) -> Decimal:
        return self.prices.get(resolution, self.prices[self.default_resolution])

    def listed(self) -> dict[str, Any]:
        return listing(
            self.id,
            name=self.name,
            description=self.description,
            created=self.created,
            inputs=self.inputs,
            outputs=self.outputs,
            pricing=token_pricing(self.prompt_price, self.completion_price),
            parameters=("max_tokens", "temperature", "seed"),
            tokenizer=self.tokenizer,
            context_length=32_768,
            most_tokens=8_192,
        )

    def listed_for_images(self) -> dict[str, Any]:
        """The entry of GET /images/models."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "created": self.created,
            "architecture": {
                "input_modalities": list(self.inputs),
                "output_modalities": list(self.outputs),
            },
            "supported_parameters": self._descriptors(),
            "supports_streaming": self.streams,
            "endpoints": f"/api/v1/images/models/{self.id}/endpoints",
        }

    def endpoints(self) -> dict[str, Any]:
        """The body of GET /images/models/{author}/{slug}/endpoints; variants have a small k."""
        pictures = [
            {"billable": "output_image", "unit": "image", "cost_usd": float(price)}
            | ({"variant": resolution.lower()} if len(self.prices) > 1 else {})
            for resolution, price in self.prices.items()
        ]
        words = {"billable": "input_text", "unit": "token", "cost_usd": float(self.prompt_price)}
        return {
            "id": self.id,
            "endpoints": [
                {
                    "provider_name": self.provider,
                    "provider_slug": self.provider_slug,
                    "provider_tag": None,
                    "supported_parameters": self._descriptors(),
                    "allowed_passthrough_parameters": list(self.passthrough),
                    "supports_streaming": self.streams,
                    "pricing": [*pictures, words],
                }
            ],
        }

    def _descriptors(self) -> dict[str, Any]:
        return {name: ability.descriptor() for name, ability in self.parameters.items()}


_RATIOS = Choice(tuple(PICTURE_SIZES))
_GPT_PARAMETERS: dict[str, Capability] = {
    "quality": Choice(("auto", "low", "medium", "high")),
    "background": Choice(("auto", "transparent", "opaque")),
    "n": Span(1, 10),
    "input_references": Span(0, 16),
    "output_compression": Span(0, 100),
}
_FLUX_PARAMETERS: dict[str, Capability] = {
    "aspect_ratio": _RATIOS,
    "resolution": Choice(("1K", "2K")),
    "output_format": Choice(("png",)),
    "input_references": Span(0, 8),
    "seed": Flag(),
}


def _sizes(resolution: str) -> tuple[str, ...]:
    sizes = (picture_size(ratio, resolution) for ratio in PICTURE_SIZES)
    return tuple(f"{width}x{height}" for width, height in sizes)


def _prices(**usd: str) -> dict[str, Decimal]:
    """Prices by resolution, written k1="0.04" since a name can't begin with a digit."""
    return {f"{name[1:]}K": Decimal(price) for name, price in usd.items()}


IMAGE_MODELS = (
    ImageModel(
        id="google/gemini-2.5-flash-image",
        name="Google: Gemini 2.5 Flash Image (Nano Banana)",
        provider="Google",
        provider_slug="google-vertex",
        description="Draws and edits in a conversation.",
        tokenizer="Gemini",
        prices=_prices(k1="0.039"),
        outputs=("image", "text"),
        prompt_price=Decimal("0.0000003"),
        completion_price=Decimal("0.0000025"),
        parameters={
            "aspect_ratio": _RATIOS,
            "resolution": Choice(("1K",)),
            "input_references": Span(0, 3),
        },
    ),
    ImageModel(
        id="google/gemini-3-pro-image",
        name="Google: Gemini 3 Pro Image",
        provider="Google",
        provider_slug="google-vertex",
        description="Large pictures with legible text, up to 4K.",
        tokenizer="Gemini",
        prices=_prices(k1="0.134", k2="0.134", k4="0.24"),
        outputs=("image", "text"),
        parameters={
            "aspect_ratio": _RATIOS,
            "resolution": Choice(("1K", "2K", "4K")),
            "input_references": Span(0, 14),
        },
    ),
    ImageModel(
        id="openai/gpt-5-image",
        name="OpenAI: GPT-5 Image",
        provider="OpenAI",
        provider_slug="openai",
        description="Follows long instructions; transparent backgrounds.",
        tokenizer="GPT",
        prices=_prices(k1="0.19"),
        outputs=("image", "text"),
        streams=True,
        parameters=_GPT_PARAMETERS,
    ),
    ImageModel(
        id="openai/gpt-5-image-mini",
        name="OpenAI: GPT-5 Image Mini",
        provider="OpenAI",
        provider_slug="openai",
        description="The smaller sibling of GPT-5 Image.",
        tokenizer="GPT",
        prices=_prices(k1="0.04"),
        outputs=("image", "text"),
        streams=True,
        parameters=_GPT_PARAMETERS,
    ),
    ImageModel(
        id="black-forest-labs/flux.2-pro",
        name="Black Forest Labs: FLUX.2 Pro",
        provider="Black Forest Labs",
        provider_slug="black-forest-labs",
        description="Photographic pictures, one a request.",
        tokenizer="Other",
        prices=_prices(k1="0.03", k2="0.075"),
        parameters=_FLUX_PARAMETERS,
        passthrough=("safety_tolerance",),
    ),
    ImageModel(
        id="black-forest-labs/flux.2-flex",
        name="Black Forest Labs: FLUX.2 Flex",
        provider="Black Forest Labs",
        provider_slug="black-forest-labs",
        description="Like Pro, with steps and guidance to choose.",
        tokenizer="Other",
        prices=_prices(k1="0.06", k2="0.12"),
        parameters=_FLUX_PARAMETERS,
        passthrough=("steps", "guidance"),
    ),
    ImageModel(
        id="bytedance-seed/seedream-4.5",
        name="ByteDance Seed: Seedream 4.5",
        provider="Seed",
        provider_slug="seed",
        description="Keeps subjects across several pictures; 2K and 4K.",
        tokenizer="Other",
        prices=_prices(k2="0.04", k4="0.06"),
        parameters={
            "aspect_ratio": _RATIOS,
            "resolution": Choice(("2K", "4K")),
            "size": Choice((*_sizes("2K"), *_sizes("4K"))),
            "n": Span(1, 4),
            "input_references": Span(0, 10),
            "seed": Flag(),
        },
    ),
    ImageModel(
        id="openai/dall-e-3",
        name="OpenAI: DALL-E 3",
        provider="OpenAI",
        provider_slug="openai",
        description="The old one: no chat, no input images; retired by OpenAI in May 2026.",
        tokenizer="Other",
        prices=_prices(k1="0.04"),
        inputs=("text",),
        on_chat=False,
        parameters={"size": Choice(LEGACY_SIZES), "n": Span(1, 1)},
    ),
)
