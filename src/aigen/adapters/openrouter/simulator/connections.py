"""Connections that break or stay silent, which ASGI has no words for.

The server's protocol (`BreakableProtocol`) puts a function into the ASGI scope, under
`extensions`, where ASGI wants server extensions to be; the responses here call it. Under another
server, or httpx's ASGITransport, the function is missing and they raise ConnectionResetError.
"""

import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "aigen.simulator.connection"
_LINGER_NOT = struct.pack("ii", 1, 0)


class BreakableProtocol(HttpToolsProtocol):
    """uvicorn's protocol; applications may break the connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"reset": self.reset, "close": self.close}}

    def reset(self) -> None:
        """RST instead of FIN, so that the client sees 'connection reset by peer'."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self.transport.abort()

    def close(self) -> None:
        """Send what was written so far, then close."""
        self.transport.close()


class Reset(Response):
    """No answer: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _breaker(scope, "reset")()
        await _disconnected(receive)


class Silence(Response):
    """No answer: the request is held until the client gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _disconnected(receive)


class StreamCut(Exception):
    """Raised by a stream's content to end the answer here, without its proper end."""


class Stream(StreamingResponse):
    """A streamed answer that StreamCut can break off; tells when the client left before its end."""

    def __init__(
        self,
        content: AsyncIterator[bytes],
        *,
        media_type: str,
        headers: dict[str, str] | None = None,
        on_leave: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(self._watched(content), media_type=media_type, headers=headers)
        self._is_complete = False
        self._on_leave = on_leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except StreamCut:
            _breaker(scope, "close")()
            await _disconnected(receive)
        else:
            if not self._is_complete and self._on_leave is not None:
                self._on_leave()

    async def _watched(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in content:
            yield chunk
        self._is_complete = True


async def _disconnected(receive: Receive) -> None:
    message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()


def _breaker(scope: Scope, name: str) -> Callable[[], None]:
    extension = scope.get("extensions", {}).get(EXTENSION)
    if extension is None:
        raise ConnectionResetError("The simulator broke the connection")
    breaker: Callable[[], None] = extension[name]
    return breaker
