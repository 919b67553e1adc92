"""Server-sent events as OpenRouter writes them, with the faults that any stream can have."""

import json
import math
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aigen.adapters.openrouter.simulator.connections import StreamCut
from aigen.adapters.openrouter.simulator.scripts import Script
from aigen.adapters.openrouter.simulator.state import State

COMMENT = b": OPENROUTER PROCESSING\n\n"
DONE = b"data: [DONE]\n\n"
_SECONDS_BETWEEN_COMMENTS = 0.5
_SLOW_SECONDS = 3.0


def event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


async def stream(
    state: State,
    script: Script,
    chunks: Sequence[dict[str, Any]],
    *,
    broken_by: dict[str, Any],
    ends_after_break: bool = False,
) -> AsyncIterator[bytes]:
    """Comments, then the chunks; a script can break it off in the middle with an error or a cut."""
    yield COMMENT
    if script.has("slowstream"):
        async for comment in _waiting(state, script.seconds("slowstream", _SLOW_SECONDS)):
            yield comment
    breaks = script.has("midstream") or script.has("stream-cut")
    pause = script.seconds("drip", state.options.chunk_seconds)
    for chunk in chunks[: len(chunks) // 2] if breaks else chunks:
        yield event(chunk)
        await state.sleep(pause)
    if script.has("stream-cut"):
        raise StreamCut
    if script.has("midstream"):
        yield event(broken_by)
    if not breaks or ends_after_break:
        yield DONE


async def _waiting(state: State, seconds: float) -> AsyncIterator[bytes]:
    times = math.ceil(seconds / _SECONDS_BETWEEN_COMMENTS)
    for _ in range(times):
        await state.sleep(seconds / times)
        yield COMMENT
