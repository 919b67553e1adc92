"""Connections to one server, kept alive and shared by threads.

The standard library's client costs a third of the CPU of httpx for a small request, and the
frontend makes several for a page.
"""

import select
import ssl
import time
from collections import deque
from collections.abc import Iterator, Mapping
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from typing import Self
from urllib.parse import urlsplit

from attrs import frozen

#: What can go wrong on the way; no answer came, or only part of one.
OUTAGES = (OSError, HTTPException)

_CONNECT_SECONDS = 5.0
#: As long as a generation may take, and a little longer.
_ANSWER_SECONDS = 320.0
#: uvicorn closes what has been idle for five seconds; we are quicker, so that none is lost.
_IDLE_SECONDS = 4.0
_MOST_IDLE = 64
_CHUNK_BYTES = 65536


class Connections:
    """Requests to the server at `base_url`. Nothing is followed, repeated or decompressed."""

    def __init__(self, base_url: str) -> None:
        address = urlsplit(base_url)
        self._is_secure = address.scheme == "https"
        self._host = address.hostname or ""
        self._port = address.port
        self._path = address.path.rstrip("/")
        self._idle: deque[tuple[float, HTTPConnection]] = deque()
        self._tls: ssl.SSLContext | None = None

    def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> "Answer":
        """The answer as soon as its head is there. Raises OUTAGES."""
        connection = self._taken() or self._new()
        try:
            connection.request(method, self._path + path, body, dict(headers))
            return Answer(self, connection, connection.getresponse())
        except BaseException:
            connection.close()
            raise

    def give_back(self, connection: HTTPConnection) -> None:
        """Keep a connection whose answer has been read for the next request."""
        if len(self._idle) < _MOST_IDLE:
            self._idle.append((time.monotonic(), connection))
        else:
            connection.close()

    def close(self) -> None:
        """Close what is idle; requests in flight go on."""
        while self._idle:
            self._idle.pop()[1].close()

    def _taken(self) -> HTTPConnection | None:
        """The connection that was idle for the shortest time, if one still lives."""
        while True:
            try:
                since, connection = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - since < _IDLE_SECONDS and not _has_ended(connection):
                return connection
            connection.close()

    def _new(self) -> HTTPConnection:
        connection: HTTPConnection
        if self._is_secure:
            self._tls = self._tls or ssl.create_default_context()
            connection = HTTPSConnection(
                self._host, self._port, timeout=_CONNECT_SECONDS, context=self._tls
            )
        else:
            connection = HTTPConnection(self._host, self._port, timeout=_CONNECT_SECONDS)
        connection.connect()
        connection.sock.settimeout(_ANSWER_SECONDS)
        return connection


@frozen(eq=False)
class Answer:
    """An answer whose body is read once, or left alone and closed."""

    _connections: Connections
    _connection: HTTPConnection
    _response: HTTPResponse

    @property
    def status(self) -> int:
        return self._response.status

    def header(self, name: str) -> str | None:
        return self._response.getheader(name)

    def read(self) -> bytes:
        """The whole body. Raises OUTAGES."""
        with self:
            return self._response.read()

    def chunks(self) -> Iterator[bytes]:
        """The body, piece by piece; one of unknown length as it comes. Raises OUTAGES."""
        response = self._response
        # Of a known length, Python 3.11's read1 would wait for more than there is.
        read = response.read if response.length is not None else response.read1
        with self:
            while chunk := read(_CHUNK_BYTES):
                yield chunk
            if response.length:
                raise IncompleteRead(b"", response.length)

    def close(self) -> None:
        """Leave what has not been read."""
        if self._response.isclosed() and not self._response.will_close:
            self._connections.give_back(self._connection)
        else:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _has_ended(connection: HTTPConnection) -> bool:
    """Whether the other side has closed it, or said something that nobody asked for."""
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)
