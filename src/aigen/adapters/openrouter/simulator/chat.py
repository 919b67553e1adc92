"""POST /chat/completions: words, and pictures from the models that draw."""

from decimal import Decimal

from attrs import evolve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aigen.adapters.openrouter.simulator.answers import answer_to, caption_of, pieces_of
from aigen.adapters.openrouter.simulator.chat_requests import ChatRequest
from aigen.adapters.openrouter.simulator.connections import Stream
from aigen.adapters.openrouter.simulator.drawing import drawn, preview_of
from aigen.adapters.openrouter.simulator.events import stream
from aigen.adapters.openrouter.simulator.fields import Fields
from aigen.adapters.openrouter.simulator.image_models import ImageModel
from aigen.adapters.openrouter.simulator.intake import Intake, Work
from aigen.adapters.openrouter.simulator.ledger import Generation
from aigen.adapters.openrouter.simulator.replies import Reply, image_part
from aigen.adapters.openrouter.simulator.scripts import Script
from aigen.adapters.openrouter.simulator.state import State, entry_number
from aigen.adapters.openrouter.simulator.usage import (
    NOTHING_USED,
    TOKENS_PER_PICTURE,
    Usage,
    tokens_of,
)


class Chat:
    def __init__(self, state: State, intake: Intake) -> None:
        self._state = state
        self._intake = intake

    def routes(self) -> list[Route]:
        return [Route("/api/v1/chat/completions", self.complete, methods=["POST"])]

    async def complete(self, request: Request) -> Response:
        self._state.authorise(request)
        asked = ChatRequest.of(await Fields.of(request))
        reply = self._reply(asked)

        def accept(_: Script) -> None:
            self._state.ledger.charge(_generation(asked, reply, self._state.clock()))

        async def answer(script: Script) -> Response:
            return await self._answer(asked, reply, script, entry_number(request.scope))

        work = Work(
            kind="chat",
            model=asked.model.id,
            prompt=asked.prompt,
            cost=reply.usage.cost,
            accept=accept,
            answer=answer,
        )
        return await self._intake.take(request, work)

    def _reply(self, asked: ChatRequest) -> Reply:
        """The reply but for its pictures."""
        text, finish_reason = _words(asked)
        return Reply(
            id=self._state.ledger.new_id(),
            model=asked.model.id,
            provider=asked.model.provider,
            created=int(self._state.clock()),
            text=text,
            usage=_usage(asked, text),
            finish_reason=finish_reason,
            native_finish_reason=finish_reason,
        )

    async def _answer(
        self, asked: ChatRequest, reply: Reply, script: Script, number: int
    ) -> Response:
        reply = evolve(reply, tells_cost=not script.has("nocost"))
        if script.has("empty"):
            reply = evolve(reply, text="", usage=NOTHING_USED)
        elif script.has("noimage"):
            reply = evolve(reply, native_finish_reason="NO_IMAGE")
        elif asked.draws:
            encoded = await drawn(
                self._state,
                asked.picture_seed(),
                asked.picture_size,
                is_cut=script.has("truncated"),
            )
            reply = evolve(reply, pictures=(encoded,))
        headers = {"X-Generation-Id": reply.id}
        if asked.is_streamed:
            return Stream(
                stream(
                    self._state,
                    script,
                    _chunks(asked, reply, script),
                    broken_by=reply.error_chunk(),
                ),
                media_type="text/event-stream",
                headers=headers | {"Cache-Control": "no-cache"},
                on_leave=lambda: self._state.journal.hung_up(number),
            )
        if script.has("empty"):
            return JSONResponse(reply.without_choices(), headers=headers)
        if script.has("midstream"):
            half = reply.text[: len(reply.text) // 2]
            reply = evolve(reply, text=half, pictures=(), finish_reason="error")
        return JSONResponse(reply.whole(), headers=headers)


def _words(asked: ChatRequest) -> tuple[str, str]:
    """The text, at most as long as was allowed, and the finish reason."""
    if asked.draws:
        return (caption_of(asked.prompt) if "text" in asked.modalities else ""), "stop"
    text = answer_to(asked.prompt, turn=asked.turn, system=asked.system, model=asked.model.id)
    pieces = pieces_of(text)
    if asked.most_tokens is not None and len(pieces) > asked.most_tokens:
        return "".join(pieces[: asked.most_tokens]), "length"
    return text, "stop"


def _usage(asked: ChatRequest, text: str) -> Usage:
    read = sum(tokens_of(said.text) for said in asked.messages)
    read += TOKENS_PER_PICTURE * len(asked.images)
    written = tokens_of(text)
    completion_cost = written * asked.model.completion_price
    picture_price = Decimal(0)
    if asked.draws and isinstance(asked.model, ImageModel):
        picture_price = asked.model.price(asked.resolution)
    image_tokens = TOKENS_PER_PICTURE if asked.draws else 0
    return Usage(
        prompt_tokens=read,
        completion_tokens=written + image_tokens,
        prompt_cost=read * asked.model.prompt_price,
        completion_cost=completion_cost + picture_price,
        image_tokens=image_tokens,
    )


def _generation(asked: ChatRequest, reply: Reply, now: float) -> Generation:
    return Generation(
        id=reply.id,
        api_type="completions",
        model=reply.model,
        provider=reply.provider,
        cost=reply.usage.cost,
        created_at=now,
        prompt_tokens=reply.usage.prompt_tokens,
        completion_tokens=reply.usage.completion_tokens,
        pictures=int(asked.draws),
        streamed=asked.is_streamed,
        finish_reason=reply.finish_reason,
    )


def _chunks(asked: ChatRequest, reply: Reply, script: Script) -> list[dict[str, object]]:
    if script.has("empty"):
        return [reply.usage_chunk()]
    chunks = [reply.chunk({"role": "assistant", "content": ""})]
    chunks += [reply.chunk({"content": piece}) for piece in pieces_of(reply.text)]
    pictures = list(reply.pictures)
    if pictures and script.has("preview"):
        pictures.insert(0, preview_of(asked.picture_seed(), asked.picture_size))
    chunks += [reply.chunk({"images": [image_part(encoded)]}) for encoded in pictures]
    chunks.append(reply.chunk({}, reply.finish_reason, reply.native_finish_reason))
    return [*chunks, reply.usage_chunk()]
