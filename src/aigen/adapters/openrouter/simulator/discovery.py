"""The listings of models; they need no key."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aigen.adapters.openrouter.simulator import catalogue


class Discovery:
    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/models", self.models),
            Route("/api/v1/images/models", self.image_models),
            Route("/api/v1/images/models/{author}/{slug}/endpoints", self.image_endpoints),
            Route("/api/v1/videos/models", self.video_models),
        ]

    async def models(self, request: Request) -> Response:
        return JSONResponse(catalogue.models_page(request.query_params))

    async def image_models(self, _: Request) -> Response:
        return JSONResponse(catalogue.image_models_page())

    async def image_endpoints(self, request: Request) -> Response:
        named = f"{request.path_params['author']}/{request.path_params['slug']}"
        return JSONResponse(catalogue.image_endpoints(named))

    async def video_models(self, _: Request) -> Response:
        return JSONResponse(catalogue.video_models_page())
