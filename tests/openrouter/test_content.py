"""Fetching: what is followed, who is sent our key, and which addresses are never visited."""

import asyncio
import gzip
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from attrs import evolve

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.videos import OpenRouterVideos
from aigen.ports.provider import ContentMissing, ContentUnavailable
from tests.openrouter.conftest import KEY, Connect, Serve
from tests.openrouter.servers import Connection, Handler, RawServer, answering, http

FILM = b"\0\0\0\x18ftypisom" + bytes(range(256)) * 1000


async def fetched(clients: OpenRouterClients, address: str | None) -> bytes:
    async with OpenRouterVideos(clients).fetch("job", address) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def refused(clients: OpenRouterClients, address: str) -> str:
    with pytest.raises(ContentUnavailable) as caught:
        await fetched(clients, address)
    return str(caught.value)


def anywhere(_: str) -> bool:
    return True


def redirecting(location: str, status: int = 302) -> Handler:
    return answering(http(status, location=location))


# --- our key ----------------------------------------------------------------------------------


async def test_our_origin_is_sent_the_key(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(200, FILM)))
    for address in (None, f"{server.origin}/media/film.mp4?signature=a%2Fb", "/media/film.mp4"):
        assert await fetched(connect(server.url), address) == FILM
    assert [seen.headers["authorization"] for seen in server.requests] == [f"Bearer {KEY}"] * 3


async def test_another_origin_is_not(connect: Connect, serve: Serve) -> None:
    foreign = await serve(answering(http(200, FILM)), tls=True)
    server = await serve(answering(http(404)))
    clients = connect(server.url, may_connect=anywhere)
    assert await fetched(clients, f"{foreign.origin}/film.mp4?signature=a%2Bb") == FILM
    (seen,) = foreign.requests
    assert seen.target == "/film.mp4?signature=a%2Bb"
    assert heard_nothing(foreign)
    assert seen.headers["accept-encoding"] == "identity"
    assert server.requests == []


def heard_nothing(server: RawServer) -> bool:
    """Neither the key nor who we are."""
    told = str([seen.headers for seen in server.requests])
    return KEY not in told and "authorization" not in told and "openrouter" not in told


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_key_is_not_sent_on_by_a_redirect(
    connect: Connect, serve: Serve, status: int
) -> None:
    foreign = await serve(answering(http(200, FILM)), tls=True)
    server = await serve(redirecting(f"{foreign.origin}/film", status))
    assert await fetched(connect(server.url, may_connect=anywhere), None) == FILM
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert heard_nothing(foreign)


async def test_a_redirect_on_our_origin_is_followed_with_the_key(
    connect: Connect, serve: Serve
) -> None:
    async def handle(connection: Connection) -> None:
        seen = await connection.request()
        is_film = seen.target == "/files/film"
        await connection.send(http(200, FILM) if is_film else http(302, location="/files/film"))

    server = await serve(handle)
    assert await fetched(connect(server.url), None) == FILM
    assert [seen.headers["authorization"] for seen in server.requests] == [f"Bearer {KEY}"] * 2


async def test_who_has_left_our_origin_does_not_come_back_with_the_key(
    connect: Connect, serve: Serve
) -> None:
    server = await serve(answering(http(200, FILM)), tls=True)
    foreign = await serve(redirecting(f"{server.origin}/api/v1/key"), tls=True)
    clients = connect(server.url, may_connect=anywhere)
    assert await fetched(clients, f"{foreign.origin}/film") == FILM
    assert heard_nothing(server)


# --- where nobody goes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
        ),
        *("0.0.0.0", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "\uff11\uff12\uff17.0.0.1"),  # noqa: S104
        *("169.254.169.254", "10.0.0.1", "192.168.0.1", "[fe80::1]", "[fd00::1]"),
    ],
)
async def test_inner_addresses_are_not_visited(connect: Connect, serve: Serve, host: str) -> None:
    inner = await serve(answering(http(200, b"secrets")), tls=True)
    clients = connect("https://provider.example/api/v1", seconds=5)
    assert await refused(clients, f"https://{host}:{inner.port}/metadata")
    assert inner.connections == 0


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.0.0.1", "127.0.0.1"], ["::1"], ["169.254.169.254"]]
)
async def test_a_name_for_an_inner_address_is_not_visited(
    connect: Connect, serve: Serve, resolve: Callable[..., None], addresses: list[str]
) -> None:
    inner = await serve(answering(http(200, b"secrets")), tls=True)
    clients = connect("https://provider.example/api/v1")
    resolve(*addresses)
    await refused(clients, f"https://films.example:{inner.port}/metadata")
    assert inner.connections == 0


async def test_the_address_that_is_checked_is_the_one_that_is_connected_to(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that stands for a good address and, asked again, for a bad one, gains nothing."""
    checked: list[str] = []
    asked: list[str] = []

    def may_connect(address: str) -> bool:
        checked.append(address)
        return len(asked) == 1

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    foreign = await serve(answering(http(200, FILM)), tls=True)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    clients = connect("https://provider.example/api/v1", may_connect=may_connect)
    assert await fetched(clients, f"https://films.example:{foreign.port}/film") == FILM
    asked.append("again")
    await refused(clients, f"https://films.example:{foreign.port}/film")
    assert checked == ["127.0.0.1", "127.0.0.1"]
    assert foreign.connections == 1


@pytest.mark.parametrize(
    "location",
    [
        *("https://127.0.0.1:PORT/", "https://localhost:PORT/", "https://[::1]:PORT/"),
        *("http://127.0.0.1:PORT/", "http://localhost:PORT/", "//127.0.0.1:PORT/"),
        *(
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "https://u:p@example.com/",
            "",
            "https://[",
            "\x7f",
        ),
    ],
)
async def test_a_redirect_does_not_lead_there_either(
    connect: Connect, serve: Serve, location: str
) -> None:
    inner = await serve(answering(http(200, b"secrets")), tls=True)
    there = location.replace("PORT", str(inner.port))
    server = await serve(redirecting(there))
    assert await refused(connect(server.url), f"{server.origin}/film")
    assert inner.connections == 0


async def test_a_plain_redirect_on_a_strange_host_is_not_followed(
    connect: Connect, serve: Serve
) -> None:
    plain = await serve(answering(http(200, FILM)))
    foreign = await serve(redirecting(plain.origin + "/film"), tls=True)
    clients = connect("https://provider.example/api/v1", may_connect=anywhere)
    assert "visited" in await refused(clients, foreign.origin + "/film")
    assert plain.connections == 0


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/film", "http://example.com/film", "ftp://x/y", "\n"]
)
async def test_what_is_no_address_to_visit_is_not_visited(connect: Connect, address: str) -> None:
    assert "visited" in await refused(connect("https://provider.example/api/v1"), address)


async def test_a_certificate_for_somebody_else_is_not_trusted(
    connect: Connect, serve: Serve
) -> None:
    foreign = await serve(answering(http(200, FILM)), tls=True)
    clients = connect("https://provider.example/api/v1", tls=None, may_connect=anywhere)
    await refused(clients, foreign.origin)
    assert foreign.requests == []


@pytest.mark.parametrize(("redirects", "is_reached"), [(3, True), (4, False)])
async def test_three_redirects_are_followed(
    connect: Connect, serve: Serve, redirects: int, is_reached: bool
) -> None:
    async def handle(connection: Connection) -> None:
        step = int((await connection.request()).target.rpartition("/")[2])
        onward = http(302, location=f"/hop/{step + 1}")
        await connection.send(http(200, FILM) if step == redirects else onward)

    server = await serve(handle)
    clients = connect(server.url)
    if is_reached:
        assert await fetched(clients, "/hop/0") == FILM
    else:
        assert await refused(clients, "/hop/0") == "too many redirects"
    assert len(server.requests) == 4


async def test_a_signed_address_is_not_in_the_words_of_an_error(
    connect: Connect, serve: Serve, resolve: Callable[..., None]
) -> None:
    """Whoever catches it may log it."""
    silent_at_first = await serve(Connection.hold)
    address = f"https://films.example:{silent_at_first.port}/film?signature=secret"
    clients = connect("https://provider.example/api/v1", may_connect=anywhere)
    clients.media = evolve(clients.media, limits={"connect": 0.1})
    resolve("127.0.0.1")
    assert await refused(clients, address) == "no connection to the provider in time"
    resolve()
    assert "secret" not in await refused(clients, address)


# --- what comes -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 410])
async def test_there_is_no_film(connect: Connect, serve: Serve, status: int) -> None:
    server = await serve(answering(http(status)))
    with pytest.raises(ContentMissing):
        await fetched(connect(server.url), None)


@pytest.mark.parametrize("status", [204, 206, 300, 304, 400, 401, 403, 409, 429, 500, 502, 503])
async def test_there_is_no_film_this_time(connect: Connect, serve: Serve, status: int) -> None:
    server = await serve(answering(http(status)))
    with pytest.raises(ContentUnavailable) as caught:
        await fetched(connect(server.url), None)
    assert not isinstance(caught.value, ContentMissing)


async def short(connection: Connection) -> None:
    await connection.request()
    await connection.send(http(200, FILM)[:-1])


async def short_chunks(connection: Connection) -> None:
    await connection.request()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    await connection.send(head + b"%x\r\n%s\r\n" % (len(FILM), FILM))


async def reset_midway(connection: Connection) -> None:
    await connection.request()
    await connection.send(http(200, FILM)[:-1])
    connection.reset()


async def nothing(connection: Connection) -> None:
    await connection.request()


@pytest.mark.parametrize("handler", [short, short_chunks, reset_midway, nothing])
async def test_half_a_film_is_none(connect: Connect, serve: Serve, handler: Handler) -> None:
    server = await serve(handler)
    await refused(connect(server.url), f"{server.origin}/film")


async def test_packed_is_not_how_films_come(connect: Connect, serve: Serve) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    server = await serve(answering(http(200, bomb, content_encoding="gzip")))
    assert "compressed" in await refused(connect(server.url), f"{server.origin}/film")


async def silent(connection: Connection) -> None:
    await connection.request()
    await connection.hold()


async def silent_midway(connection: Connection) -> None:
    await connection.request()
    await connection.send(http(200, FILM)[:-1])
    await connection.hold()


async def trickle(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        await connection.send(b"x")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("handler", [silent, silent_midway])
async def test_bytes_that_stay_away_are_not_waited_for(
    connect: Connect, serve: Serve, handler: Handler
) -> None:
    server = await serve(handler)
    clients = connect(server.url)
    clients.content = evolve(clients.content, limits={"read": 0.1})
    await refused(clients, f"{server.origin}/film")


@pytest.mark.parametrize("handler", [silent, silent_midway, trickle])
async def test_a_film_has_a_deadline(connect: Connect, serve: Serve, handler: Handler) -> None:
    server = await serve(handler)
    clients = connect(server.url)
    clients.content = evolve(clients.content, timeout=clients.content.timeout / 10_000)
    await refused(clients, f"{server.origin}/film")


async def test_the_time_that_storing_takes_is_not_the_provider_s(
    connect: Connect, serve: Serve
) -> None:
    """Whoever reads slowly is not interrupted; the deadline is noticed at the next byte."""
    server = await serve(silent_midway)
    clients = connect(server.url)
    clients.content = evolve(clients.content, timeout=clients.content.timeout / 10_000)
    async with OpenRouterVideos(clients).fetch("job", None) as chunks:
        await anext(chunks)
        await asyncio.sleep(0.3)
        with pytest.raises(ContentUnavailable):
            async for _ in chunks:
                pass


async def test_a_film_comes_in_pieces_and_may_be_left(connect: Connect, serve: Serve) -> None:
    left = asyncio.Event()

    async def flood(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                await connection.send(FILM)
        finally:
            left.set()

    server = await serve(flood)
    with suppress(LookupError):
        async with OpenRouterVideos(connect(server.url)).fetch("job", None) as chunks:
            assert 0 < len(await anext(chunks)) <= 65_536
            raise LookupError
    await left.wait()
