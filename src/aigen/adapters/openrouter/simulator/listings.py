"""The entry that a model of any kind has in GET /models."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any


def listing(
    model_id: str,
    *,
    name: str,
    description: str,
    created: int,
    inputs: Sequence[str],
    outputs: Sequence[str],
    pricing: dict[str, str],
    parameters: Sequence[str],
    tokenizer: str = "Media",
    context_length: int | None = None,
    most_tokens: int | None = None,
    is_moderated: bool = False,
) -> dict[str, Any]:
    return {
        "id": model_id,
        "canonical_slug": model_id,
        "name": name,
        "created": created,
        "description": description,
        "context_length": context_length,
        "architecture": {
            "modality": f"{'+'.join(inputs)}->{'+'.join(outputs)}",
            "input_modalities": list(inputs),
            "output_modalities": list(outputs),
            "tokenizer": tokenizer,
            "instruct_type": None,
        },
        "pricing": pricing,
        "top_provider": {
            "context_length": context_length,
            "max_completion_tokens": most_tokens,
            "is_moderated": is_moderated,
        },
        "per_request_limits": None,
        "supported_parameters": list(parameters),
        "default_parameters": None,
        "supported_voices": None,
        "expiration_date": None,
        "links": {"details": f"/api/v1/models/{model_id}/endpoints"},
    }


def token_pricing(prompt: Decimal, completion: Decimal) -> dict[str, str]:
    """Prices as the API has them: strings, USD per token."""
    return {"prompt": f"{prompt:f}", "completion": f"{completion:f}", "request": "0", "image": "0"}
