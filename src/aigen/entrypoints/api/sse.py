"""Server-sent events that stay alive through proxies and end when the server does."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from aigen.domain.model.errors import AigenError
from aigen.entrypoints.api.errors import id_of, problem_of, problem_of_status

_KEEPALIVE_SECONDS = 15.0

Event = tuple[str, BaseModel]


class EventStream(StreamingResponse):
    """Not the framework's own class, for which a route would have to be a generator: ours may
    still refuse before the first event."""

    media_type = "text/event-stream"


def event_stream(events: AsyncIterator[Event], request: Request) -> EventStream:
    """An answer that sends each (name, data) as it comes, and a comment while none does. What
    fails on the way is told by a last event, `error`."""
    return piece_stream(_written(_told(events, request)))


def piece_stream(pieces: AsyncIterator[bytes]) -> EventStream:
    """The same with events that are written already, each piece one or more of them whole."""
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    return EventStream(_kept_alive(pieces), headers=headers)


async def _told(events: AsyncIterator[Event], request: Request) -> AsyncIterator[Event]:
    try:
        async for event in events:
            yield event
    except AigenError as error:
        yield "error", problem_of(error).out(id_of(request))
    except Exception:
        yield "error", problem_of_status(500).out(id_of(request))
        raise  # to where it is logged


async def _written(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    async for name, data in events:
        yield format_sse_event(event=name, data_str=data.model_dump_json())


async def _kept_alive(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    waiting: asyncio.Task[bytes | None] | None = None
    try:
        while True:
            waiting = waiting or asyncio.create_task(_next(pieces))
            done, _ = await asyncio.wait({waiting}, timeout=_KEEPALIVE_SECONDS)
            if not done:
                yield KEEPALIVE_COMMENT
                continue
            piece = waiting.result()
            waiting = None
            if piece is None:
                return
            yield piece
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)
