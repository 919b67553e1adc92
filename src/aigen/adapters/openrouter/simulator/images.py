"""POST /images: pictures, whole or as a stream."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aigen.adapters.openrouter.simulator.connections import Stream
from aigen.adapters.openrouter.simulator.drawing import drawn, preview_of
from aigen.adapters.openrouter.simulator.events import stream
from aigen.adapters.openrouter.simulator.fields import Fields
from aigen.adapters.openrouter.simulator.image_requests import ImageRequest
from aigen.adapters.openrouter.simulator.intake import Intake, Work
from aigen.adapters.openrouter.simulator.ledger import Generation
from aigen.adapters.openrouter.simulator.replies import MIDSTREAM_ERROR
from aigen.adapters.openrouter.simulator.scripts import Script
from aigen.adapters.openrouter.simulator.state import State, entry_number
from aigen.adapters.openrouter.simulator.usage import (
    NOTHING_USED,
    TOKENS_PER_PICTURE,
    Usage,
    tokens_of,
)

_STREAM_ERROR = {
    "type": "error",
    "error": {
        "message": MIDSTREAM_ERROR["message"],
        "code": "provider_unavailable",
        "type": "server_error",
        "param": None,
    },
}


class Images:
    def __init__(self, state: State, intake: Intake) -> None:
        self._state = state
        self._intake = intake

    def routes(self) -> list[Route]:
        return [Route("/api/v1/images", self.generate, methods=["POST"])]

    async def generate(self, request: Request) -> Response:
        self._state.authorise(request)
        asked = ImageRequest.of(await Fields.of(request))
        usage = usage_of(asked)
        generation = generation_of(self._state, asked, usage)

        def accept(_: Script) -> None:
            self._state.ledger.charge(generation)

        async def answer(script: Script) -> Response:
            response = await self._answer(asked, usage, script, entry_number(request.scope))
            if self._state.options.generation_id_on_images or script.has("nocost"):
                response.headers["X-Generation-Id"] = generation.id
            return response

        work = Work(
            kind="images",
            model=asked.model.id,
            prompt=asked.prompt,
            cost=usage.cost,
            accept=accept,
            answer=answer,
        )
        return await self._intake.take(request, work)

    async def _answer(
        self, asked: ImageRequest, usage: Usage, script: Script, number: int
    ) -> Response:
        pictures = await pictures_of(self._state, asked, script)
        if script.has("empty"):
            usage = NOTHING_USED
        body = usage.body(with_cost=not script.has("nocost"))
        created = int(self._state.clock())
        if asked.is_streamed and asked.model.streams:
            return Stream(
                stream(
                    self._state,
                    script,
                    _events(asked, pictures, created, body, has_preview=script.has("preview")),
                    broken_by=_STREAM_ERROR,
                    ends_after_break=True,
                ),
                media_type="text/event-stream",
                headers={"Cache-Control": "no-cache"},
                on_leave=lambda: self._state.journal.hung_up(number),
            )
        data = [{"b64_json": encoded, "media_type": "image/png"} for encoded in pictures]
        return JSONResponse({"created": created, "data": data, "usage": body})


async def pictures_of(state: State, asked: ImageRequest, script: Script) -> list[str]:
    if script.has("empty") or script.has("noimage"):
        return []
    is_cut = script.has("truncated")
    seeds = (asked.picture_seed(number) for number in range(asked.count))
    return [await drawn(state, seed, asked.size, is_cut=is_cut) for seed in seeds]


def usage_of(asked: ImageRequest) -> Usage:
    read = tokens_of(asked.prompt) + TOKENS_PER_PICTURE * len(asked.references)
    drawn_tokens = TOKENS_PER_PICTURE * asked.count
    return Usage(
        prompt_tokens=read,
        completion_tokens=drawn_tokens,
        prompt_cost=read * asked.model.prompt_price,
        completion_cost=asked.count * asked.model.price(asked.resolution),
        image_tokens=drawn_tokens,
    )


def generation_of(state: State, asked: ImageRequest, usage: Usage) -> Generation:
    return Generation(
        id=state.ledger.new_id(),
        api_type="image",
        model=asked.model.id,
        provider=asked.model.provider,
        cost=usage.cost,
        created_at=state.clock(),
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        pictures=asked.count,
        streamed=asked.is_streamed,
    )


def _events(
    asked: ImageRequest,
    pictures: list[str],
    created: int,
    usage: dict[str, Any],
    *,
    has_preview: bool,
) -> list[dict[str, Any]]:
    previews = [preview_of(asked.picture_seed(0), asked.size)] if has_preview else []
    partial = [
        {"type": "image_generation.partial_image", "partial_image_index": place, "b64_json": rough}
        for place, rough in enumerate(previews)
    ]
    completed = [
        {
            "type": "image_generation.completed",
            "b64_json": encoded,
            "media_type": "image/png",
            "created": created,
            "usage": usage,
        }
        for encoded in pictures
    ]
    return [*partial, *completed]
