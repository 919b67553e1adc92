"""Server-sent events that stay alive through proxies and end when the server does."""

import asyncio
from collections.abc import AsyncIterator

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic import BaseModel

_KEEPALIVE_SECONDS = 15.0

Event = tuple[str, BaseModel]


def event_stream(events: AsyncIterator[Event]) -> EventSourceResponse:
    """An answer that sends each (name, data) as it comes, and a comment while none does."""
    return EventSourceResponse(
        _written(events), headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    )


async def _written(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    waiting: asyncio.Task[Event | None] | None = None
    try:
        while True:
            waiting = waiting or asyncio.create_task(_next(events))
            done, _ = await asyncio.wait({waiting}, timeout=_KEEPALIVE_SECONDS)
            if not done:
                yield KEEPALIVE_COMMENT
                continue
            event = waiting.result()
            waiting = None
            if event is None:
                return
            name, data = event
            yield format_sse_event(event=name, data_str=data.model_dump_json())
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


async def _next(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)
