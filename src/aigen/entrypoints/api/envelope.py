"""What every answer carries, every request is logged with, and no failure escapes from."""

import re
import time
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aigen.entrypoints.api.house import House
from aigen.ports.clock import Ids

logger = structlog.get_logger()

_REQUEST_ID = re.compile(rb"[A-Za-z0-9-]{1,64}")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
#: What machines ask every few seconds: worth a line only if it fails.
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_NO_STORE = (b"cache-control", b"no-store")


class Envelope:
    """Stands outside the framework, so that its error answers pass through here as well."""

    def __init__(self, app: ASGIApp, house: House, ids: Ids) -> None:
        self._app = app
        self._house = house
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = self._request_id(scope)
        scope["request_id"] = request_id
        status = 0

        async def sealed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _with_ours(message["headers"], request_id)
            await send(message)

        try:
            await self._app(scope, receive, sealed)
        except Exception:
            # The framework has answered already, and lets the failure pass for the log.
            logger.exception("request_failed", request_id=request_id)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _request_id(self, scope: Scope) -> str:
        """The client's own, if it is harmless, else a new one."""
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                return str(value, "ascii")
        return self._ids.new()

    def _note(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "(none)")
        if self._house.metrics is not None:
            self._house.metrics.note_request(scope["method"], route, status, seconds)
        is_usual = route in _PROBES and HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST
        (logger.debug if is_usual else logger.info)(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            request_id=scope["request_id"],
        )


def _with_ours(headers: list[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    has_cache_control = any(name == b"cache-control" for name, _ in headers)
    return [
        *headers,
        (b"x-request-id", request_id.encode()),
        *_HEADERS,
        *(() if has_cache_control else (_NO_STORE,)),
    ]
