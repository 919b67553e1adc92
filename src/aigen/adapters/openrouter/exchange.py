"""One request and its answer, within a deadline and a size."""

import asyncio
import json
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import httpx
from attrs import frozen

from aigen.adapters.openrouter.outcomes import BROKEN, Reply, TooLarge, of_exception
from aigen.ports.provider import NotSent, Unknown

#: A larger body is sent in slices: aiohttp warns that it would hold up the event loop.
_LARGEST_AT_ONCE = 512 * 1024


@frozen(kw_only=True)
class Line:
    """The way to the provider for one purpose.

    `timeout` is how long a whole call may take, `largest` how many bytes its answer may have;
    `limits` are httpx's timeouts of the single steps within that.

    It drives httpx's transport and not its client, which would do more than is wanted: keep
    cookies, make credentials of `user:password@`, read redirects that it does not follow, and
    log every address, the signed ones too. That spares a quarter of the CPU besides.
    """

    transport: httpx.AsyncBaseTransport
    headers: httpx.Headers
    timeout: timedelta
    largest: int
    limits: Mapping[str, float | None]

    def deadline(self) -> float:
        """The instant, by the event loop's clock, at which a call that begins now must end."""
        return asyncio.get_running_loop().time() + self.timeout.total_seconds()

    async def get(self, url: httpx.URL, deadline: float | None = None) -> Reply | NotSent | Unknown:
        request = self.request("GET", url)
        return await self._call(request, self.deadline() if deadline is None else deadline)

    async def post(
        self, url: httpx.URL, content: object, deadline: float | None = None
    ) -> Reply | NotSent | Unknown:
        """Send it as JSON, which bytes are already, once, whatever happens."""
        request = self.request("POST", url, content)
        return await self._call(request, self.deadline() if deadline is None else deadline)

    def request(self, method: str, url: httpx.URL, content: object = None) -> httpx.Request:
        headers, body = self.headers, _json(content)
        if len(body) > _LARGEST_AT_ONCE:
            headers = httpx.Headers([*headers.raw, (b"content-length", b"%d" % len(body))])
        return httpx.Request(
            method,
            url,
            headers=headers,
            content=body if len(body) <= _LARGEST_AT_ONCE else _slices(body),
            extensions={"timeout": self.limits},
        )

    @asynccontextmanager
    async def opened(
        self, request: httpx.Request, deadline: float
    ) -> AsyncIterator[httpx.Response]:
        """The answer with its body still to be read. Raises what is in BROKEN."""
        async with asyncio.timeout_at(deadline):
            response = await self.transport.handle_async_request(request)
        try:
            yield response
        finally:
            with suppress(*BROKEN):  # what was wanted has been read
                await response.aclose()

    async def chunks(
        self, response: httpx.Response, deadline: float
    ) -> AsyncGenerator[bytes, None]:
        """The body in pieces. Raises what is in BROKEN."""
        size = 0
        pieces = response.aiter_raw()
        while True:
            # Around the waiting alone: what is done with a piece is not the provider's time.
            async with asyncio.timeout_at(deadline):
                chunk = await anext(pieces, b"")
            if not chunk:
                return
            size += len(chunk)
            if size > self.largest:
                raise TooLarge
            yield chunk

    async def whole(self, response: httpx.Response, deadline: float) -> Reply:
        """The answer with its body. Raises what is in BROKEN."""
        body = b""
        try:
            async with asyncio.timeout_at(deadline):
                body = await self._body(response)
            body = _unpacked(body, response.headers, self.largest)
        except BROKEN:
            # The status alone says what an error means; its words are welcome, not needed.
            if response.is_success:
                raise
        return Reply(status=response.status_code, headers=response.headers, body=body)

    async def aclose(self) -> None:
        await self.transport.aclose()

    async def _call(self, request: httpx.Request, deadline: float) -> Reply | NotSent | Unknown:
        try:
            async with self.opened(request, deadline) as response:
                return await self.whole(response, deadline)
        except BROKEN as error:
            return of_exception(error)

    async def _body(self, response: httpx.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_raw():
            chunks.append(chunk)
            size += len(chunk)
            if size > self.largest:
                raise TooLarge
        return b"".join(chunks)


def _json(content: object) -> bytes:
    if content is None or isinstance(content, bytes):
        return content or b""
    return json.dumps(content).encode()


async def _slices(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _LARGEST_AT_ONCE):
        yield body[start : start + _LARGEST_AT_ONCE]


def is_packed(headers: httpx.Headers) -> bool:
    """Whether the body is compressed, though we ask for `identity`."""
    return headers.get("content-encoding", "").lower() not in {"", "identity"}


def _unpacked(body: bytes, headers: httpx.Headers, largest: int) -> bytes:
    """The body, unpacked should somebody in between have packed it; what cannot be stays as it is.

    httpx would unpack without a limit: 16 KiB to 16 MiB, and what is packed twice to 16 GiB.
    """
    if not is_packed(headers):
        return body
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or deflate, as it begins
    try:
        content = unpacking.decompress(body, largest + 1)
    except zlib.error:
        return body
    if len(content) > largest:
        raise TooLarge
    if not unpacking.eof:
        raise httpx.ReadError("the packed answer ends too early")
    return content
