"""Connections that fail: only those that surely carried nothing may be tried again."""

import asyncio
import gzip
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import httpx
import pytest

from aigen.adapters.openrouter import clients as clients_module
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.images import OpenRouterImages
from aigen.adapters.openrouter.texts import OpenRouterTexts
from aigen.adapters.openrouter.videos import OpenRouterVideos
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.texts import TextRequest
from aigen.ports.provider import NotSent, Unknown, VideoSubmission
from tests.openrouter.conftest import Connect, Serve
from tests.openrouter.servers import Connection, Handler, answering, http

Send = Callable[[OpenRouterClients], Coroutine[Any, Any, Any]]


async def send_text(clients: OpenRouterClients) -> object:
    return await OpenRouterTexts(clients).complete(TextRequest(model="m/t", prompt="hello"))


async def send_stream(clients: OpenRouterClients) -> object:
    stream = OpenRouterTexts(clients).stream(TextRequest(model="m/t", prompt="hello"))
    *deltas, outcome = [piece async for piece in stream]
    assert deltas == []
    return outcome


async def send_image(clients: OpenRouterClients) -> object:
    return await OpenRouterImages(clients).generate(ImageRequest(model="m/i", prompt="a fox"))


async def send_video(clients: OpenRouterClients) -> object:
    return await OpenRouterVideos(clients).submit(VideoSubmission(model="m/v", prompt="a fox"))


SENDS: list[Send] = [send_text, send_stream, send_image, send_video]


@pytest.fixture(params=SENDS)
def send(request: pytest.FixtureRequest) -> Send:
    send: Send = request.param
    return send


# --- no connection: nothing was sent --------------------------------------------------------


async def test_a_refused_port_took_nothing(connect: Connect, send: Send) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening
        outcome = await send(connect(f"http://127.0.0.1:{taken.getsockname()[1]}/api/v1"))
    assert isinstance(outcome, NotSent)


async def test_an_unknown_host_took_nothing(
    connect: Connect, send: Send, resolve: Callable[..., None]
) -> None:
    resolve()
    assert isinstance(await send(connect("https://provider.example/api/v1")), NotSent)


async def test_a_name_server_that_is_silent_took_nothing(
    connect: Connect, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def getaddrinfo(*_: object, **__: object) -> object:
        return await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    outcome = await send(connect("http://provider.example/api/v1", seconds=0.2))
    assert isinstance(outcome, NotSent)


async def test_a_server_that_cannot_speak_tls_took_nothing(
    connect: Connect, serve: Serve, send: Send
) -> None:
    async def garbage(connection: Connection) -> None:
        await connection.reader.read(1)
        await connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = await serve(garbage)
    outcome = await send(connect(server.url.replace("http:", "https:")))
    assert isinstance(outcome, NotSent)


async def test_a_server_that_hangs_up_during_the_tls_handshake_took_nothing(
    connect: Connect, serve: Serve, send: Send
) -> None:
    async def hang_up(connection: Connection) -> None:
        await connection.reader.read(1)
        connection.reset()

    server = await serve(hang_up)
    outcome = await send(connect(server.url.replace("http:", "https:")))
    assert isinstance(outcome, NotSent)


async def test_a_handshake_that_never_ends_took_nothing(
    connect: Connect, serve: Serve, send: Send
) -> None:
    server = await serve(Connection.hold)
    outcome = await send(connect(server.url.replace("http:", "https:"), seconds=0.2))
    assert isinstance(outcome, NotSent)


async def test_a_certificate_for_somebody_else_is_not_trusted(
    connect: Connect, serve: Serve, send: Send
) -> None:
    server = await serve(answering(http(200, {})), tls=True)
    outcome = await send(connect(server.url, tls=None))
    assert isinstance(outcome, NotSent)
    assert server.requests == []


async def test_no_free_connection_is_as_good_as_none(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients_module, "_MOST_CONNECTIONS", 1)

    async def check(send: Send) -> None:
        came = asyncio.Event()

        async def hold(connection: Connection) -> None:
            await connection.request()
            came.set()
            await connection.hold()

        server = await serve(hold)
        clients = connect(server.url, seconds=1)
        first = asyncio.create_task(send(clients))
        await came.wait()
        assert isinstance(await send(clients), NotSent)
        assert isinstance(await first, Unknown)
        assert len(server.requests) == 1

    await asyncio.gather(*(check(send) for send in SENDS))


# --- after that: nobody knows ---------------------------------------------------------------


async def hang_up_at_once(connection: Connection) -> None:
    connection.writer.close()


async def reset_at_once(connection: Connection) -> None:
    connection.reset()


async def hang_up_after_reading(connection: Connection) -> None:
    await connection.request()


async def reset_after_reading(connection: Connection) -> None:
    await connection.request()
    connection.reset()


async def half_a_head(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-")


async def no_http(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"220 mail.example ESMTP\r\n\r\n")


async def endless_head(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await connection.send(b"x-more: " + b"x" * 1000 + b"\r\n")


async def reset_after_the_head(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    connection.reset()


async def half_a_body(connection: Connection) -> None:
    await connection.request()
    await connection.send(http(200, {"id": "gen-vid-1", "choices": []})[:-5])


async def half_a_chunked_body(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await connection.send(b'10\r\n{"id": "gen-vid-\r\n')


async def broken_chunks(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")


async def half_a_body_without_length(connection: Connection) -> None:
    await connection.request()
    await connection.send(b'HTTP/1.1 200 OK\r\n\r\n{"id": "gen-vid-')


async def half_a_packed_body(connection: Connection) -> None:
    await connection.request()
    packed = gzip.compress(b'{"id": "gen-vid-1"}' * 10)[:-20]
    await connection.send(http(200, packed, content_encoding="gzip"))


async def bad_request_inside_a_switch(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")


BREAKS: list[Handler] = [
    hang_up_at_once,
    reset_at_once,
    hang_up_after_reading,
    reset_after_reading,
    half_a_head,
    no_http,
    endless_head,
    reset_after_the_head,
    half_a_body,
    half_a_chunked_body,
    broken_chunks,
    half_a_body_without_length,
    half_a_packed_body,
    bad_request_inside_a_switch,
]


@pytest.mark.parametrize("handler", BREAKS)
async def test_a_connection_that_breaks_may_have_carried_it(
    connect: Connect, serve: Serve, send: Send, handler: Handler
) -> None:
    server = await serve(handler)
    outcome = await send(connect(server.url, seconds=5))
    assert isinstance(outcome, Unknown)
    assert server.connections == 1, "it was sent again"


async def hang_without_answer(connection: Connection) -> None:
    await connection.request()
    await connection.hold()


async def hang_in_the_head(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-")
    await connection.hold()


async def hang_in_the_body(connection: Connection) -> None:
    await connection.request()
    await connection.send(http(200, {"id": "gen-vid-1"})[:-5])
    await connection.hold()


async def drip(connection: Connection) -> None:
    """Bytes without end: no single wait is long."""
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        await connection.send(b" ")
        await asyncio.sleep(0.01)


async def test_an_answer_that_does_not_end_in_time_may_have_cost_money(
    connect: Connect, serve: Serve
) -> None:
    servers = [
        await serve(one) for one in (hang_without_answer, hang_in_the_head, hang_in_the_body, drip)
    ]
    clients = [connect(server.url, seconds=0.6) for server in servers]
    outcomes = await asyncio.gather(*(send(one) for one in clients for send in SENDS))
    assert outcomes == [Unknown(reason="the provider did not answer in time")] * 16
    assert [server.connections for server in servers] == [4, 4, 4, 4]


@pytest.mark.parametrize("status", [200, 202])
async def test_an_answer_without_end_is_not_read_to_its_end(
    connect: Connect, serve: Serve, send: Send, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients_module, "_LARGEST_PICTURES", clients_module._LARGEST_JSON)

    async def flood(connection: Connection) -> None:
        await connection.request()
        await connection.send(f"HTTP/1.1 {status} OK\r\n\r\n".encode() + b'{"x": "')
        while True:
            await connection.send(b"x" * 1_000_000)

    server = await serve(flood)
    outcome = await send(connect(server.url))
    assert outcome == Unknown(reason="the provider's answer was too large")


#: 100 KB that unpack to 100 MB.
BOMB = gzip.compress(bytes(100_000_000), compresslevel=6)


async def test_a_bomb_is_not_unpacked(connect: Connect, serve: Serve, send: Send) -> None:
    server = await serve(answering(http(200, BOMB, content_encoding="gzip")))
    outcome = await send(connect(server.url))
    assert outcome == Unknown(reason="the provider's answer was too large")


# --- how it is sent -------------------------------------------------------------------------


async def test_an_early_no_is_heard_while_the_body_is_still_being_sent(
    connect: Connect, serve: Serve
) -> None:
    async def refuse(connection: Connection) -> None:
        await connection.reader.readuntil(b"\r\n\r\n")
        await connection.send(http(413, {"error": {"message": "too large"}}))
        await connection.hold()

    server = await serve(refuse)
    submission = VideoSubmission(model="m", prompt="p", first_frame="x" * 16_000_000)
    outcome = await OpenRouterVideos(connect(server.url)).submit(submission)
    assert getattr(outcome, "reason", None) == "too large"


async def test_large_bodies_arrive_whole(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(202, {"id": "gen-vid-1"})))
    submission = VideoSubmission(
        model="m", prompt="p", first_frame="data:image/png;base64," + "x" * 3_000_000
    )
    await OpenRouterVideos(connect(server.url)).submit(submission)
    (seen,) = server.requests
    assert seen.json["frame_images"][0]["image_url"]["url"] == submission.first_frame
    assert "transfer-encoding" not in seen.headers


async def test_httpx_does_not_tell_a_broken_connection_from_none(
    connect: Connect, serve: Serve
) -> None:
    """Why causes are looked at, and not httpx's classes: should this ever change, so may that."""
    server = await serve(hang_up_after_reading)
    line = connect(server.url).submit
    request = line.request("POST", httpx.URL(server.url), {})
    with pytest.raises(httpx.ConnectTimeout) as caught:
        await line.transport.handle_async_request(request)
    assert isinstance(caught.value.__cause__, aiohttp.ServerDisconnectedError)
    assert len(server.requests) == 1
