"""The HTTP clients, one per purpose: each is built here and nowhere else."""

import errno
import socket
import ssl
from collections.abc import Callable
from datetime import timedelta
from functools import cache

import aiohttp
import httpx
from attrs import evolve
from httpx_aiohttp import AiohttpTransport

from aigen.adapters.openrouter.addresses import Origin
from aigen.adapters.openrouter.exchange import Line
from aigen.adapters.openrouter.outcomes import Outcomes
from aigen.adapters.openrouter.reasons import Reasons
from aigen.domain.model.hosts import is_public_address

_MIB = 1024 * 1024
_LARGEST_JSON = 8 * _MIB
_LARGEST_STREAM = 64 * _MIB  # some 300 bytes for each of 200,000 tokens
_LARGEST_PICTURES = 64 * _MIB
#: Only against madness; the media store knows what a film may have.
_LARGEST_FILM = 16 * 1024 * _MIB

_POLL_TIMEOUT = timedelta(seconds=30)
_FILM_TIMEOUT = timedelta(minutes=30)
#: How long a film's bytes may stay away.
_IDLE_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
#: Shorter than servers keep theirs (Cloudflare 400 s, nginx 75 s, uvicorn 5 s are usual), since a
#: request that meets a connection just being closed has an unknown outcome.
_KEEP_ALIVE_SECONDS = 4.0
_MOST_CONNECTIONS = 1000


class OpenRouterClients:
    """`referer` is what attribution calls the address of the app; `tls` and `may_connect` are for
    a provider with certificates of its own and for tests.

    Nothing is opened before the first call, which must be made in the event loop of all others.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        submit_timeout: timedelta,
        text_timeout: timedelta,
        image_timeout: timedelta,
        referer: str | None = None,
        tls: ssl.SSLContext | None = None,
        may_connect: Callable[[str], bool] = is_public_address,
    ) -> None:
        if not api_key or not api_key.isascii() or not api_key.isprintable():
            raise ValueError("The provider's key must be of printable ASCII characters")
        self.origin = Origin(base_url)
        self.outcomes = Outcomes(Reasons(api_key))
        self._tls = tls or _certificates()
        plain = {"User-Agent": "aigen", "Accept-Encoding": "identity"}
        ours = {"Authorization": f"Bearer {api_key}", "X-OpenRouter-Title": "aigen"}
        ours |= plain | ({"HTTP-Referer": referer} if referer else {})
        json = ours | {"Content-Type": "application/json"}

        self.submit = self._line(json, submit_timeout, is_kept=False)
        self.text = self._line(json, text_timeout)
        self.text_stream = evolve(self.text, largest=_LARGEST_STREAM)
        # Pictures cost more and take longer than a fresh connection does.
        self.image = self._line(json, image_timeout, largest=_LARGEST_PICTURES, is_kept=False)
        self.poll = self._line(ours, _POLL_TIMEOUT)
        #: Films and pictures on the provider's own origin.
        self.content = self._line(ours, _FILM_TIMEOUT, largest=_LARGEST_FILM, idle=_IDLE_SECONDS)
        #: Those that lie elsewhere: without credentials, and only in the open internet.
        self.media = self._line(
            plain, _FILM_TIMEOUT, largest=_LARGEST_FILM, idle=_IDLE_SECONDS, may_connect=may_connect
        )

    async def aclose(self) -> None:
        for line in (self.submit, self.text, self.image, self.poll, self.content, self.media):
            await line.aclose()

    def _line(
        self,
        headers: dict[str, str],
        timeout: timedelta,
        *,
        largest: int = _LARGEST_JSON,
        is_kept: bool = True,
        idle: float | None = None,
        may_connect: Callable[[str], bool] | None = None,
    ) -> Line:
        def connect() -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(
                ssl=self._tls,
                limit=_MOST_CONNECTIONS,
                force_close=not is_kept,
                keepalive_timeout=_KEEP_ALIVE_SECONDS if is_kept else None,
                socket_factory=None if may_connect is None else _guarded(may_connect),
            )
            return aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )

        # A connection that takes too long must be noticed before the call as a whole does:
        # then it is certain that nothing was sent.
        patience = min(_CONNECT_SECONDS, timeout.total_seconds() / 2)
        return Line(
            transport=AiohttpTransport(verify=self._tls, trust_env=False, client=connect),
            headers=httpx.Headers(headers),
            timeout=timeout,
            largest=largest,
            limits={"connect": patience, "pool": patience, "read": idle, "write": None},
        )


def _guarded(may_connect: Callable[[str], bool]) -> aiohttp.SocketFactoryType:
    """Makes sockets for addresses that may be visited, and for no others.

    Here the address is the one that is connected to next, whether it was a name or a number: a
    name cannot stand for something else a moment later (DNS rebinding).
    """

    def make(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        if not may_connect(address[0]):
            raise PermissionError(errno.EACCES, "not an address of the open internet")
        return socket.socket(family, kind, protocol)

    return make


@cache
def _certificates() -> ssl.SSLContext:
    """Those of certifi; loading them takes 20 ms, too long for once per client."""
    return httpx.create_ssl_context(trust_env=False)
