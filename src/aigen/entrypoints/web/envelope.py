"""What every answer carries, and the line that is logged for it."""

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from aigen.entrypoints.web.backend import backend

logger = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: {media}; "
    "media-src 'self' {media}; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


def install(app: Flask) -> None:
    app.before_request(_open)
    app.after_request(_seal)


def _open() -> None:
    g.began = time.time()
    g.clock = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid4())


def _seal(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-ID"] = g.request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers.setdefault("Content-Security-Policy", _policy())
    headers.setdefault("Cache-Control", "no-store")
    logger.info(
        "page",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else "(none)",
        status=response.status_code,
        ms=round((time.perf_counter() - g.clock) * 1000, 1),
        request_id=g.request_id,
    )
    return response


def _policy() -> str:
    return _POLICY.format(media=backend().installation.about().media_origin)
