"""Chat completions: whatever the provider takes and gives, and the house's accounts."""

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response

from aigen.domain.model.errors import AigenError
from aigen.domain.model.idempotency import IdempotencyKey
from aigen.domain.model.texts import Text
from aigen.domain.services.chats import Chat
from aigen.entrypoints.api.auth import Payer, WhoPays
from aigen.entrypoints.api.errors import Problem, problem_of, problem_of_status
from aigen.entrypoints.api.house import house_of
from aigen.entrypoints.api.idempotency import KeyHeader, key_of, unwrapped
from aigen.entrypoints.api.openai.errors import ERRORS, error_out
from aigen.entrypoints.api.openai.schemas import ChatBody, ChunkOut, CompletionOut
from aigen.entrypoints.api.sse import piece_stream

router = APIRouter(prefix="/v1/chat", tags=["openai"], responses=ERRORS)

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The provider's answer; with `stream`, its events.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    }
}
_DONE = b"data: [DONE]\n\n"


@router.post("/completions", responses=_ANSWERS, response_class=Response)
async def complete_chat(
    body: ChatBody, caller: WhoPays, request: Request, key: KeyHeader = None
) -> Response:
    """A conversation, handed to the provider and back as it is: tools, formats, pictures and
    fields that only this provider has. The newest user turn and the answer's text are kept in the
    history."""
    if body.stream:
        return await _streamed(body, caller, request, key)
    asked = body.request()
    once = await house_of(request).aigen.chats.complete_once(
        caller.user.id, asked, _key(key, request, body), key_id=caller.key_id
    )
    if isinstance(once.value, Text):
        content = CompletionOut.of(once.value).model_dump_json().encode()
    else:
        content = once.value.body
    answer = Response(content, media_type="application/json")
    unwrapped(once, answer)
    return answer


async def _streamed(body: ChatBody, caller: Payer, request: Request, key: str | None) -> Response:
    asked = body.request()
    once = await house_of(request).aigen.chats.stream_once(
        caller.user.id, asked, _key(key, request, body), key_id=caller.key_id
    )
    pieces = _again(once.value) if isinstance(once.value, Text) else once.value
    answer = piece_stream(_told(pieces))
    unwrapped(once, answer)
    return answer


def _key(header: str | None, request: Request, body: ChatBody) -> IdempotencyKey | None:
    """Whether it is streamed makes no difference."""
    if header is None:
        return None
    said = {name: value for name, value in body.said().items() if not name.startswith("stream")}
    return key_of(header, request, json.dumps(said, sort_keys=True).encode())


async def _told(pieces: AsyncIterator[bytes | Chat]) -> AsyncIterator[bytes]:
    """The end comes once the answer is kept; what fails on the way is told by an event."""
    try:
        async for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
        yield _DONE
    except AigenError as error:
        yield _error_event(problem_of(error))
    except Exception:
        yield _error_event(problem_of_status(500))
        raise  # to where it is logged


async def _again(text: Text) -> AsyncIterator[bytes | Chat]:
    yield b"data: %s\n\n" % ChunkOut.of(text).model_dump_json().encode()


def _error_event(problem: Problem) -> bytes:
    out = error_out(problem.status, problem.code, problem.detail)
    return b"data: %s\n\n" % out.model_dump_json().encode()
