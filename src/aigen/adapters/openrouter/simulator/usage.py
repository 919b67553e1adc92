"""The usage object: tokens and what they cost."""

from decimal import Decimal
from typing import Any

from attrs import frozen

from aigen.adapters.openrouter.simulator.ledger import usd

_LETTERS_PER_TOKEN = 4
TOKENS_PER_PICTURE = 1290


def tokens_of(text: str) -> int:
    """A rough count, the same each time."""
    return -(-len(text) // _LETTERS_PER_TOKEN)


@frozen(kw_only=True)
class Usage:
    prompt_tokens: int
    completion_tokens: int
    prompt_cost: Decimal
    completion_cost: Decimal
    image_tokens: int = 0

    @property
    def cost(self) -> Decimal:
        return self.prompt_cost + self.completion_cost

    def body(self, *, with_cost: bool = True) -> dict[str, Any]:
        costs: dict[str, Any] = {
            "cost": usd(self.cost),
            "is_byok": False,
            "cost_details": {
                "upstream_inference_cost": usd(self.cost),
                "upstream_inference_prompt_cost": usd(self.prompt_cost),
                "upstream_inference_completions_cost": usd(self.completion_cost),
            },
        }
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            **(costs if with_cost else {}),
            "prompt_tokens_details": {
                "cached_tokens": 0,
                "cache_write_tokens": 0,
                "audio_tokens": 0,
                "video_tokens": 0,
            },
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "image_tokens": self.image_tokens,
                "audio_tokens": 0,
            },
        }


NOTHING_USED = Usage(
    prompt_tokens=0, completion_tokens=0, prompt_cost=Decimal(0), completion_cost=Decimal(0)
)
