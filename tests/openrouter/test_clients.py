"""How calls are made: headers, connections, and that nothing is left open."""

import asyncio
import gc
import gzip
import json
import logging
import zlib
from collections.abc import Callable
from datetime import timedelta

import pytest

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.texts import OpenRouterTexts
from aigen.adapters.openrouter.videos import OpenRouterVideos
from aigen.domain.model.texts import TextRequest
from aigen.ports.provider import BadAnswer, Refused, TextAnswer, Unknown, VideoSubmission
from tests.openrouter.conftest import KEY, Connect, Serve
from tests.openrouter.servers import Connection, answering, http

TEXT = TextRequest(model="m/t", prompt="hello")
FILM = VideoSubmission(model="m/v", prompt="a fox")
FILM_TIME = timedelta(seconds=1)
SAID = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}


async def keep_answering(connection: Connection) -> None:
    """One answer after the other on the same connection."""
    while True:
        await connection.request()
        await connection.send(http(200, SAID | {"id": "gen-vid-1"}, connection="keep-alive"))


async def test_who_we_are_is_said_in_the_headers(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(200, SAID)))
    await OpenRouterTexts(connect(server.url)).complete(TEXT)
    await OpenRouterTexts(connect(server.url, referer="https://app.example")).complete(TEXT)
    plain, attributed = (seen.headers for seen in server.requests)
    assert plain["authorization"] == f"Bearer {KEY}"
    assert plain["content-type"] == "application/json"
    assert plain["x-openrouter-title"] == "aigen"
    assert plain["accept-encoding"] == "identity"
    assert plain["user-agent"] == "aigen"
    assert "http-referer" not in plain
    assert attributed["http-referer"] == "https://app.example"


async def test_texts_share_a_connection(connect: Connect, serve: Serve) -> None:
    server = await serve(keep_answering)
    texts = OpenRouterTexts(connect(server.url))
    for _ in range(3):
        await texts.complete(TEXT)
    assert server.connections == 1


async def test_each_submission_has_a_connection_of_its_own(connect: Connect, serve: Serve) -> None:
    server = await serve(keep_answering)
    videos = OpenRouterVideos(connect(server.url))
    for _ in range(3):
        await videos.submit(FILM)
    assert server.connections == 3


async def test_cookies_are_not_kept(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(200, SAID, set_cookie="session=abc; Path=/")))
    texts = OpenRouterTexts(connect(server.url))
    await texts.complete(TEXT)
    await texts.complete(TEXT)
    assert all("cookie" not in seen.headers for seen in server.requests)


async def test_proxies_of_the_environment_are_passed_by(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = await serve(answering(http(502)))
    server = await serve(answering(http(200, SAID)))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.origin)
    await OpenRouterTexts(connect(server.url)).complete(TEXT)
    assert (proxy.connections, server.connections) == (0, 1)


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress])
async def test_what_somebody_in_between_has_packed_is_unpacked(
    connect: Connect, serve: Serve, packed: Callable[[bytes], bytes]
) -> None:
    body = packed(json.dumps(SAID).encode())
    server = await serve(answering(http(200, body, content_encoding="GZIP")))
    assert isinstance(await OpenRouterTexts(connect(server.url)).complete(TEXT), TextAnswer)


@pytest.mark.parametrize("encoding", ["br", "gzip", "gzip, gzip"])
async def test_what_cannot_be_unpacked_cannot_be_read(
    connect: Connect, serve: Serve, encoding: str
) -> None:
    body = gzip.compress(gzip.compress(json.dumps(SAID).encode()))
    content = b"not packed at all" if encoding == "gzip" else body
    server = await serve(answering(http(200, content, content_encoding=encoding)))
    outcome = await OpenRouterTexts(connect(server.url)).complete(TEXT)
    assert outcome == BadAnswer(reason="the provider's answer cannot be read")


async def test_an_unmarked_body_is_read_as_it_is(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(200, SAID, content_encoding="identity")))
    assert isinstance(await OpenRouterTexts(connect(server.url)).complete(TEXT), TextAnswer)


@pytest.mark.parametrize("key", ["", "sk\nx: y", "schlüssel", "\0"])
def test_a_key_that_no_header_can_hold_is_refused_at_once(connect: Connect, key: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        connect("https://provider.example", api_key=key)


async def test_a_key_that_is_a_mere_word_is_not_hunted_for(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(400, {"error": {"message": "a demo film"}})))
    outcome = await OpenRouterTexts(connect(server.url, api_key="demo")).complete(TEXT)
    assert outcome == Refused(reason="a demo film")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/elsewhere", "http://[nonsense", "file:///etc/passwd", ""])
async def test_a_redirected_submission_is_not_sent_on(
    connect: Connect, serve: Serve, status: int, location: str
) -> None:
    server = await serve(answering(http(status, location=location)))
    clients = connect(server.url)
    assert isinstance(await OpenRouterVideos(clients).submit(FILM), Unknown)
    assert isinstance(await OpenRouterTexts(clients).complete(TEXT), Unknown)
    assert server.connections == 2


async def test_nothing_secret_is_logged(
    connect: Connect, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = {"error": {"code": 500, "message": f"prompt a fox, key {KEY}"}}
    server = await serve(answering(http(500, echo)))
    clients = connect(server.url)
    await OpenRouterVideos(clients).submit(FILM)
    await OpenRouterVideos(clients).poll("job", None)
    await OpenRouterTexts(clients).complete(TEXT)
    assert not [record for record in caplog.records if record.name != "asyncio"]


def test_they_are_made_without_an_event_loop_and_before_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clients = OpenRouterClients(
        base_url="https://provider.example/api/v1/",
        api_key=KEY,
        submit_timeout=FILM_TIME,
        text_timeout=FILM_TIME,
        image_timeout=FILM_TIME,
    )
    asyncio.run(clients.aclose())
    gc.collect()
    assert not caplog.records


@pytest.mark.parametrize(
    "address",
    [
        "",
        "openrouter.ai",
        "ftp://a.example",
        "https://",
        "https://u@a.example",
        "http://a?b",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="must be like https"):
        OpenRouterClients(
            base_url=address,
            api_key=KEY,
            submit_timeout=FILM_TIME,
            text_timeout=FILM_TIME,
            image_timeout=FILM_TIME,
        )
