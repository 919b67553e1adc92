"""POST /images/generations: a 404 at OpenRouter, or OpenAI's old contract if switched on."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aigen.adapters.openrouter.simulator.catalogue import image_model
from aigen.adapters.openrouter.simulator.errors import ApiError, invalid
from aigen.adapters.openrouter.simulator.fields import Fields
from aigen.adapters.openrouter.simulator.image_models import LEGACY_SIZES
from aigen.adapters.openrouter.simulator.image_requests import ImageRequest
from aigen.adapters.openrouter.simulator.images import generation_of, pictures_of, usage_of
from aigen.adapters.openrouter.simulator.intake import Intake, Work
from aigen.adapters.openrouter.simulator.media import Media
from aigen.adapters.openrouter.simulator.scripts import Script
from aigen.adapters.openrouter.simulator.sizes import pixels_of
from aigen.adapters.openrouter.simulator.state import State, origin_of

PATH = "/api/v1/images/generations"
_LONGEST_PROMPT = 4000
_DALL_E = "openai/dall-e-3"
_SQUARE = LEGACY_SIZES[0]


class LegacyImages:
    def __init__(self, state: State, intake: Intake, media: Media) -> None:
        self._state = state
        self._intake = intake
        self._media = media

    def routes(self) -> list[Route]:
        return [Route(PATH, self.generate, methods=["POST"])]

    async def generate(self, request: Request) -> Response:
        if not self._state.options.legacy_images:
            raise HTTPException(404)
        self._state.authorise(request)
        body = await Fields.of(request)
        asked = _request(body)
        as_url = _wants_url(asked, body)
        usage = usage_of(asked)

        def accept(_: Script) -> None:
            self._state.ledger.charge(generation_of(self._state, asked, usage))

        async def answer(script: Script) -> Response:
            data = await self._data(asked, script, origin_of(request), as_url=as_url)
            return JSONResponse({"created": int(self._state.clock()), "data": data})

        work = Work(
            kind="images",
            model=asked.model.id,
            prompt=asked.prompt,
            cost=usage.cost,
            accept=accept,
            answer=answer,
        )
        return await self._intake.take(request, work)

    async def _data(
        self, asked: ImageRequest, script: Script, origin: str, *, as_url: bool
    ) -> list[dict[str, Any]]:
        said = {"revised_prompt": f"A careful rendering of: {asked.prompt}"}
        if not as_url:
            pictures = await pictures_of(self._state, asked, script)
            return [{"b64_json": encoded, **said} for encoded in pictures]
        if script.has("empty") or script.has("noimage"):
            return []
        await self._state.sleep(self._state.options.image_seconds)
        expires_at = int(self._state.clock() + self._state.options.legacy_url_seconds)
        seeds = [asked.picture_seed(number) for number in range(asked.count)]
        urls = [self._media.image_url(origin, seed, asked.size, expires_at) for seed in seeds]
        return [{"url": url, **said} for url in urls]


def _request(body: Fields) -> ImageRequest:
    """Models may be named without `openai/`, as OpenAI does."""
    named = body.text("model") or _DALL_E
    chosen = image_model(named if "/" in named else f"openai/{named}")
    prompt = body.needed_text("prompt")
    if len(prompt) > _LONGEST_PROMPT:
        raise invalid(f"prompt must have at most {_LONGEST_PROMPT} characters", "prompt")
    body.choice("quality", ("standard", "hd", "low", "medium", "high", "auto"))
    body.choice("style", ("vivid", "natural"))
    size = pixels_of(body.choice("size", LEGACY_SIZES) or _SQUARE)
    return ImageRequest(
        model=chosen,
        prompt=prompt,
        count=body.whole("n", 1, 1 if chosen.id == _DALL_E else 10) or 1,
        size=size or (1024, 1024),
        resolution=chosen.default_resolution,
        references=(),
        is_streamed=False,
        seed=None,
    )


def _wants_url(asked: ImageRequest, body: Fields) -> bool:
    """DALL-E gives links unless told otherwise; the GPT models know no response_format."""
    wanted = body.choice("response_format", ("url", "b64_json"))
    if asked.model.id == _DALL_E:
        return wanted != "b64_json"
    if wanted is not None:
        raise ApiError(
            400,
            "Unknown parameter: 'response_format'.",
            error_type="unknown_parameter",
            param="response_format",
        )
    return False
