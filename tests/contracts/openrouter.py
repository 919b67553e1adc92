"""OpenRouter's adapters, and the words that bring its simulator to every kind of failure."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.simulator import SimulatorOptions, serve_simulator
from aigen.ports.provider import (
    BadAnswer,
    ContentMissing,
    ContentUnavailable,
    Ended,
    Misconfigured,
    Missing,
    NotSent,
    Refused,
    Unknown,
    Unreachable,
)

FAILURES: dict[type, str] = {
    Refused: "sim:moderation",
    NotSent: "sim:overloaded=3",
    Misconfigured: "sim:credits",
    Unknown: "sim:http=502",
}
ANSWERS = FAILURES | {BadAnswer: "sim:garbage"}
JOBS = FAILURES | {
    Ended: "sim:fail",
    Missing: "sim:poll-404=99",
    Unreachable: "sim:poll-error=99",
    ContentMissing: "sim:nocontent",
    ContentUnavailable: "sim:content-error=99",
}


@asynccontextmanager
async def openrouter() -> AsyncIterator[OpenRouterClients]:
    """Clients of a simulator."""
    patience = timedelta(seconds=30)
    # Signed addresses know nothing of the words that make a download fail.
    async with serve_simulator(SimulatorOptions(signed_urls=False)) as running:
        clients = OpenRouterClients(
            base_url=running.url,
            api_key="a-key",
            submit_timeout=patience,
            text_timeout=patience,
            image_timeout=patience,
        )
        try:
            yield clients
        finally:
            await clients.aclose()
