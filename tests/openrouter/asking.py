"""A text and pictures, asked for in short; answers that hold a picture; and all failures."""

import base64
from typing import Any

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.images import OpenRouterImages
from aigen.adapters.openrouter.texts import OpenRouterTexts
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.texts import TextRequest
from aigen.ports.provider import (
    Failure,
    ImageAnswer,
    Misconfigured,
    NotSent,
    Refused,
    TextAnswer,
    TextDelta,
    Unknown,
)
from tests.openrouter.conftest import Connect
from tests.openrouter.servers import RawServer, Seen

REQUEST = TextRequest(model="m/t", prompt="hello")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
ENCODED = base64.b64encode(PNG).decode()

GEMINI, FLUX = "google/gemini-2.5-flash-image", "black-forest-labs/flux.2-pro"
GPT_5, DALL_E = "openai/gpt-5-image-mini", "openai/dall-e-3"

#: What the simulator does to requests of every kind, and what each comes to.
FAILURES: list[tuple[str, type]] = [
    ("sim:refuse", Refused),
    ("sim:moderation", Refused),
    ("sim:notfound", Refused),
    ("sim:toolarge", Refused),
    ("sim:semantic", Refused),
    ("sim:credits", Misconfigured),
    ("sim:badkey", Misconfigured),
    ("sim:ratelimit=3", NotSent),
    ("sim:overloaded=3", NotSent),
    ("sim:http=529", NotSent),
    *((f"sim:http={status}", Unknown) for status in (408, 409, 500, 502, 504, 524)),
    ("sim:html502", Unknown),
    ("sim:raw502", Unknown),
    ("sim:redirect", Unknown),
    ("sim:200-error", Unknown),
    ("sim:reset-early", Unknown),
    ("sim:reset", Unknown),
]


def asking(prompt: str) -> TextRequest:
    return TextRequest(model="openai/gpt-4o-mini", prompt=prompt)


async def streamed(
    clients: OpenRouterClients, request: TextRequest = REQUEST
) -> tuple[str, TextAnswer | Failure]:
    """The deltas put together, and what came after them: exactly one thing."""
    *deltas, outcome = [piece async for piece in OpenRouterTexts(clients).stream(request)]
    assert all(isinstance(delta, TextDelta) and delta.text for delta in deltas)
    assert not isinstance(outcome, TextDelta)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), outcome


async def ask(
    connect: Connect,
    server: RawServer,
    request: ImageRequest,
    *,
    source: str | None = None,
    route: str = "auto",
) -> tuple[ImageAnswer | Failure, list[Seen]]:
    images = OpenRouterImages(connect(server.url), route=route)
    outcome = await images.generate(request, source)
    return outcome, server.requests


def drawn(text: str = "", cost: float | None = None, urls: Any = None) -> dict[str, Any]:
    """An answer of the chat route."""
    images = urls or [f"data:image/png;base64,{ENCODED}"]
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in images]
    message = {"content": text, "images": parts}
    return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"cost": cost}}


def data(*entries: Any, cost: float | None = None) -> dict[str, Any]:
    """An answer of the two other routes."""
    return {"created": 0, "data": list(entries), "usage": {"cost": cost}}
