"""What a chat model replies, and how OpenRouter writes it: whole or as a chunk."""

from typing import Any

from attrs import frozen

from aigen.adapters.openrouter.simulator.usage import Usage

MIDSTREAM_ERROR = {
    "code": 502,
    "message": "Provider disconnected unexpectedly",
    "metadata": {"error_type": "provider_unavailable"},
}


@frozen(kw_only=True)
class Reply:
    id: str
    model: str
    provider: str
    created: int
    text: str
    usage: Usage
    pictures: tuple[str, ...] = ()
    """Base64 of PNG files."""
    finish_reason: str = "stop"
    native_finish_reason: str = "stop"
    tells_cost: bool = True

    def whole(self) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self.text,
            "refusal": None,
            "reasoning": None,
        }
        if self.pictures:
            message["images"] = [image_part(encoded) for encoded in self.pictures]
        choice: dict[str, Any] = {
            "index": 0,
            "logprobs": None,
            "finish_reason": self.finish_reason,
            "native_finish_reason": self.native_finish_reason,
            "message": message,
        }
        if self.finish_reason == "error":
            choice["error"] = MIDSTREAM_ERROR
        return self._envelope("chat.completion") | {
            "system_fingerprint": None,
            "service_tier": None,
            "choices": [choice],
            "usage": self.usage.body(with_cost=self.tells_cost),
        }

    def without_choices(self) -> dict[str, Any]:
        return self.whole() | {"choices": []}

    def chunk(
        self,
        delta: dict[str, Any],
        finish_reason: str | None = None,
        native_finish_reason: str | None = None,
    ) -> dict[str, Any]:
        choice = {
            "index": 0,
            "delta": delta,
            "finish_reason": finish_reason,
            "native_finish_reason": native_finish_reason,
        }
        return self._envelope("chat.completion.chunk") | {"choices": [choice]}

    def usage_chunk(self) -> dict[str, Any]:
        usage = self.usage.body(with_cost=self.tells_cost)
        return self._envelope("chat.completion.chunk") | {"choices": [], "usage": usage}

    def error_chunk(self) -> dict[str, Any]:
        return self.chunk({"content": ""}, finish_reason="error") | {"error": MIDSTREAM_ERROR}

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "provider": self.provider,
        }


def image_part(encoded: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}}
