"""The text models of the catalogue; names and prices resemble the real ones."""

from decimal import Decimal
from typing import Any

from attrs import frozen

from aigen.adapters.openrouter.simulator.listings import listing, token_pricing

SAMPLING = ("max_tokens", "temperature", "top_p", "stop", "seed", "frequency_penalty")
DEFAULT_MODEL = "openai/gpt-4o-mini"


@frozen(kw_only=True)
class TextModel:
    """A model that reads and writes text; prices are USD per token."""

    id: str
    name: str
    provider: str
    description: str
    created: int
    tokenizer: str
    context_length: int
    most_tokens: int
    prompt_price: Decimal
    completion_price: Decimal
    inputs: tuple[str, ...] = ("text",)
    outputs: tuple[str, ...] = ("text",)
    parameters: tuple[str, ...] = SAMPLING

    def listed(self) -> dict[str, Any]:
        return listing(
            self.id,
            name=self.name,
            description=self.description,
            created=self.created,
            inputs=self.inputs,
            outputs=self.outputs,
            pricing=token_pricing(self.prompt_price, self.completion_price),
            parameters=self.parameters,
            tokenizer=self.tokenizer,
            context_length=self.context_length,
            most_tokens=self.most_tokens,
            is_moderated=self.provider == "OpenAI",
        )


TEXT_MODELS = (
    TextModel(
        id="openai/gpt-4o-mini",
        name="OpenAI: GPT-4o-mini",
        provider="OpenAI",
        description="Small, quick and cheap; reads images.",
        created=1_721_260_800,
        tokenizer="GPT",
        context_length=128_000,
        most_tokens=16_384,
        prompt_price=Decimal("0.00000015"),
        completion_price=Decimal("0.0000006"),
        inputs=("text", "image", "file"),
        parameters=(*SAMPLING, "tools", "tool_choice", "response_format", "structured_outputs"),
    ),
    TextModel(
        id="openai/gpt-5.2",
        name="OpenAI: GPT-5.2",
        provider="OpenAI",
        description="The large general model with adaptive reasoning.",
        created=1_765_389_775,
        tokenizer="GPT",
        context_length=400_000,
        most_tokens=128_000,
        prompt_price=Decimal("0.00000175"),
        completion_price=Decimal("0.000014"),
        inputs=("file", "image", "text"),
        parameters=("max_tokens", "seed", "tools", "tool_choice", "reasoning", "response_format"),
    ),
    TextModel(
        id="anthropic/claude-sonnet-4.5",
        name="Anthropic: Claude Sonnet 4.5",
        provider="Anthropic",
        description="Writes, reasons and programs with care.",
        created=1_759_161_676,
        tokenizer="Claude",
        context_length=1_000_000,
        most_tokens=64_000,
        prompt_price=Decimal("0.000003"),
        completion_price=Decimal("0.000015"),
        inputs=("text", "image", "file"),
        parameters=("max_tokens", "temperature", "stop", "tools", "tool_choice", "reasoning"),
    ),
    TextModel(
        id="google/gemini-2.5-flash",
        name="Google: Gemini 2.5 Flash",
        provider="Google",
        description="Quick, with a very long context; reads text, images, audio and video.",
        created=1_750_172_488,
        tokenizer="Gemini",
        context_length=1_048_576,
        most_tokens=65_535,
        prompt_price=Decimal("0.0000003"),
        completion_price=Decimal("0.0000025"),
        inputs=("file", "image", "text", "audio", "video"),
        parameters=(*SAMPLING, "tools", "tool_choice", "reasoning", "response_format"),
    ),
    TextModel(
        id="deepseek/deepseek-v3.2",
        name="DeepSeek: DeepSeek V3.2",
        provider="DeepSeek",
        description="A large open model at a low price.",
        created=1_764_594_642,
        tokenizer="DeepSeek",
        context_length=163_840,
        most_tokens=65_536,
        prompt_price=Decimal("0.00000025"),
        completion_price=Decimal("0.00000038"),
        parameters=(*SAMPLING, "tools", "tool_choice", "reasoning"),
    ),
    TextModel(
        id="meta-llama/llama-3.3-70b-instruct:free",
        name="Meta: Llama 3.3 70B Instruct (free)",
        provider="Venice",
        description="An open model that costs nothing and is limited in requests.",
        created=1_733_506_137,
        tokenizer="Llama3",
        context_length=65_536,
        most_tokens=8_192,
        prompt_price=Decimal(0),
        completion_price=Decimal(0),
    ),
)
