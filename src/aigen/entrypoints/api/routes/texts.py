"""Texts: made, streamed, listed, removed."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response, status

from aigen.domain.model.texts import Text
from aigen.entrypoints.api.auth import TheHouse, WhoPays
from aigen.entrypoints.api.house import house_of
from aigen.entrypoints.api.idempotency import KeyHeader, key_of, unwrapped
from aigen.entrypoints.api.paging import History, listed
from aigen.entrypoints.api.schemas.texts import TextBody, TextDeltaOut, TextOut
from aigen.entrypoints.api.schemas.values import Listed
from aigen.entrypoints.api.sse import Event, event_stream
from aigen.ports.provider import TextDelta

router = APIRouter(prefix="/generate/text", tags=["texts"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The text; with `stream`, events `delta`, then `done` or `error`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}

Status = Annotated[
    Literal["completed"] | None,
    Query(alias="status", description="as of images and videos; a text is kept once it is whole"),
]


@router.post("", responses=_STREAM, response_model=TextOut)
async def generate(
    body: TextBody,
    caller: WhoPays,
    request: Request,
    response: Response,
    key: KeyHeader = None,
) -> TextOut | Response:
    """Generate a text; `messages` holds the turns before the prompt."""
    idempotency_key = key_of(key, request, body)
    texts, user_id = house_of(request).aigen.texts, caller.user.id
    if not body.stream:
        once = await texts.generate_once(
            user_id, body.request(), idempotency_key, key_id=caller.key_id
        )
        return TextOut.of(unwrapped(once, response))
    stream = await texts.stream_once(user_id, body.request(), idempotency_key, key_id=caller.key_id)
    answer = event_stream(_events(stream.value), request)
    unwrapped(stream, answer)
    return answer


@router.get("")
async def texts(query: History, house: TheHouse, _: Status = None) -> Listed[TextOut]:
    """One's own texts; `q` is looked for in the prompt."""
    return listed(await house.aigen.texts.list(query), TextOut.of)


@router.get("/{text_id}")
async def text(text_id: str, caller: WhoPays, house: TheHouse) -> TextOut:
    return TextOut.of(await house.aigen.texts.get(caller.user.id, text_id))


@router.delete("/{text_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_text(text_id: str, caller: WhoPays, house: TheHouse) -> None:
    await house.aigen.texts.remove(caller.user.id, text_id)


async def _events(pieces: AsyncIterator[TextDelta | Text]) -> AsyncIterator[Event]:
    async for piece in pieces:
        if isinstance(piece, TextDelta):
            yield "delta", TextDeltaOut(text=piece.text)
        else:
            yield "done", TextOut.of(piece)
