"""Links that need no key: pictures of the legacy route and finished videos, signed and mortal.

Nothing is stored: a link holds all that it takes to make the picture or the clip again.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aigen.adapters.openrouter.simulator.errors import ApiError
from aigen.adapters.openrouter.simulator.jobs import COMPLETED, Job
from aigen.adapters.openrouter.simulator.movies import movie
from aigen.adapters.openrouter.simulator.pictures import picture
from aigen.adapters.openrouter.simulator.state import State

_PATH = "/media"


class Media:
    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        return [
            Route(_PATH + "/images/{seed}.png", self.show_image),
            Route(_PATH + "/videos/{job_id}.mp4", self.show_video),
        ]

    def image_url(self, origin: str, seed: str, size: tuple[int, int], expires_at: int) -> str:
        query = {"width": size[0], "height": size[1], "expires": expires_at}
        return self._signed(origin, f"{_PATH}/images/{seed}.png", query)

    def video_url(self, origin: str, job: Job, expires_at: int) -> str:
        return self._signed(origin, f"{_PATH}/videos/{job.id}.mp4", {"expires": expires_at})

    async def show_image(self, request: Request) -> Response:
        self._check(request)
        size = int(request.query_params["width"]), int(request.query_params["height"])
        seed = request.path_params["seed"]
        content = await asyncio.to_thread(picture, seed, *size, self._state.options.image_bytes)
        return Response(content, media_type="image/png")

    async def show_video(self, request: Request) -> Response:
        self._check(request)
        job = self._state.jobs.get(request.path_params["job_id"])
        if job is None or job.status != COMPLETED or job.script.has("nocontent"):
            raise ApiError(404, "There is no such video")
        if job.script.has("badmedia"):
            return Response(BAD_MEDIA, media_type="video/mp4")
        return Response(await clip_of(job), media_type="video/mp4")

    def _signed(self, origin: str, path: str, query: Mapping[str, int]) -> str:
        text = urlencode(query)
        return f"{origin}{path}?{text}&signature={self._signature(path, text)}"

    def _signature(self, path: str, query: str) -> str:
        message = f"{path}?{query}".encode()
        return hmac.new(self._state.secret, message, hashlib.sha256).hexdigest()

    def _check(self, request: Request) -> None:
        query, _, signature = request.url.query.rpartition("&signature=")
        if not hmac.compare_digest(signature, self._signature(request.url.path, query)):
            raise ApiError(403, "The link's signature is wrong")
        if self._state.clock() > int(request.query_params["expires"]):
            raise ApiError(403, "The link has expired")


BAD_MEDIA = b"<!DOCTYPE html><html><body><h1>Sign in to continue</h1></body></html>"


async def clip_of(job: Job) -> bytes:
    return await asyncio.to_thread(movie, job.seed, job.ratio, job.seconds)
