"""The FastAPI application: routes, errors, documentation."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

import aigen
from aigen.adapters.system_clock import SystemIds
from aigen.entrypoints.api import errors
from aigen.entrypoints.api.envelope import Envelope
from aigen.entrypoints.api.errors import PROBLEM
from aigen.entrypoints.api.gate import Gate
from aigen.entrypoints.api.house import House
from aigen.entrypoints.api.openai import chats as openai_chats
from aigen.entrypoints.api.openai import images as openai_images
from aigen.entrypoints.api.openai import models as openai_models
from aigen.entrypoints.api.openai import videos as openai_videos
from aigen.entrypoints.api.routes import (
    about,
    administration,
    documentation,
    history,
    images,
    keys,
    maintenance,
    media,
    models,
    money,
    operations,
    sessions,
    texts,
    users,
    videos,
    work,
)
from aigen.entrypoints.api.schemas.operations import ProblemOut

#: Every request is held against them in this order, so what is asked most comes first.
_ROUTERS = (
    texts,
    openai_chats,
    videos,
    images,
    media,
    work,
    openai_images,
    openai_videos,
    openai_models,
    sessions,
    models,
    money,
    keys,
    history,
    users,
    about,
    operations,
    administration,
    maintenance,
)

_DESCRIPTION = """
Text, image and video generation for many people over one OpenRouter key.

Log in with `POST /auth/login` and send the access token as `Authorization: Bearer …`.
Errors are `application/problem+json`; `code` is stable, `detail` says what to do.
"""

_SCHEMAS = "#/components/schemas/"
_PROBLEM = {PROBLEM: {"schema": {"$ref": f"{_SCHEMAS}{ProblemOut.__name__}"}}}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"content": _PROBLEM, "description": "The request was refused; `code` says why."},
    "5XX": {"content": _PROBLEM, "description": "It failed here or at the provider."},
}


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """The document. The framework would call problems `application/json`, so they are not
        left to it, and their schemas are added here."""
        document = super().openapi()
        schema = ProblemOut.model_json_schema(
            mode="serialization", ref_template=f"{_SCHEMAS}{{model}}"
        )
        parts = schema.pop("$defs")
        document["components"]["schemas"] |= {**parts, ProblemOut.__name__: schema}
        return document


def create_app(house: House) -> FastAPI:
    """The application without gate and envelope, as the documentation is made from it."""
    settings = house.aigen.settings
    app = _Api(
        title="aigen",
        description=_DESCRIPTION,
        version=aigen.__version__,
        docs_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
        redoc_url=None,
        max_body_size=settings.max_body,
        responses=_PROBLEMS,
        redirect_slashes=False,
        # Unused, its questions after providers cost four percent of a request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.house = house
    errors.install(app)
    for module in _ROUTERS:
        app.include_router(module.router)
    if settings.docs:
        app.include_router(documentation.router)
    return app


def create_server_app(house: House) -> ASGIApp:
    """The application as it is served."""
    return enclosed(create_app(house), house)


def enclosed(app: ASGIApp, house: House) -> ASGIApp:
    """The application behind its gate, in its envelope; and, where origins are configured,
    readable from them, whatever the answer is."""
    inner: ASGIApp = Gate(app, house)
    if house.aigen.settings.cors_origins:
        inner = CORSMiddleware(
            inner,
            allow_origins=house.aigen.settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Prefer"],
            expose_headers=["X-Request-ID", "Idempotent-Replay", "Retry-After"],
        )
    return Envelope(inner, house, SystemIds())
