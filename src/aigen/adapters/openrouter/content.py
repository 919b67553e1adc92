"""Fetching films and pictures from wherever the provider says that they lie."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import httpx

from aigen.adapters.openrouter.addresses import foreign
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.exchange import Line, is_packed
from aigen.adapters.openrouter.outcomes import BROKEN, of_exception
from aigen.ports.provider import ContentMissing, ContentUnavailable

_ADDRESS = re.compile(r"https?://|/", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_MISSING = frozenset({404, 410})


class Content:
    """On the provider's own origin with our key; elsewhere without, over https, and only in the
    open internet. Who has left the provider's origin does not come back to it with the key."""

    def __init__(self, clients: OpenRouterClients) -> None:
        self._origin = clients.origin
        self._own_line = clients.content
        self._foreign_line = clients.media

    def may_follow(self, address: str) -> bool:
        """Whether it is an address at all, and one that would be visited."""
        own = self._origin.own(address) if _ADDRESS.match(address) else None
        return own is not None or foreign(address) is not None

    @asynccontextmanager
    async def opened(
        self, address: str, deadline: float | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """What lies there, in pieces. Raises ContentUnavailable, also while it is read."""
        end = self._own_line.deadline() if deadline is None else deadline
        async with AsyncExitStack() as stack:
            try:
                line, response = await self._found(stack, address, end)
            except BROKEN as error:
                raise ContentUnavailable(of_exception(error).reason) from error
            pieces = _pieces(line, response, end)
            await stack.enter_async_context(aclosing(pieces))
            yield pieces

    async def _found(
        self, stack: AsyncExitStack, address: str, deadline: float
    ) -> tuple[Line, httpx.Response]:
        """The answer at the end of the redirects."""
        line, url = self._start(address)
        for _ in range(1 + _MOST_REDIRECTS):
            opened = line.opened(line.request("GET", url), deadline)
            response = await stack.enter_async_context(opened)
            if response.status_code not in _REDIRECTS:
                _check(response)
                return line, response
            line, url = self._next(line, url, response.headers.get("location", ""))
        raise ContentUnavailable("too many redirects")

    def _start(self, address: str) -> tuple[Line, httpx.URL]:
        own = self._origin.own(address)
        return (self._own_line, own) if own else (self._foreign_line, _allowed(foreign(address)))

    def _next(self, line: Line, url: httpx.URL, location: str) -> tuple[Line, httpx.URL]:
        own = self._origin.own(location, seen_from=url)
        if line is self._own_line and own is not None:
            return line, own
        return self._foreign_line, _allowed(foreign(location, seen_from=url))


def _allowed(url: httpx.URL | None) -> httpx.URL:
    if url is None:
        raise ContentUnavailable("the address is not one that may be visited")
    return url


def _check(response: httpx.Response) -> None:
    if response.status_code in _MISSING:
        raise ContentMissing(f"the answer was {response.status_code}")
    if response.status_code != httpx.codes.OK:
        raise ContentUnavailable(f"the answer was {response.status_code}")
    if is_packed(response.headers):
        raise ContentUnavailable("it came compressed, though it was asked for as it is")


async def _pieces(
    line: Line, response: httpx.Response, deadline: float
) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(line.chunks(response, deadline)) as chunks:
            async for chunk in chunks:
                yield chunk
    except BROKEN as error:
        raise ContentUnavailable("it broke off before its end") from error
