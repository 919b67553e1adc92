"""The plain client of the API."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from aigen.adapters.http import connections
from aigen.adapters.http.client import ApiClient, ApiRefused, ApiUnreachable

_HEAD = "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{more}\r\n"

Serve = Callable[..., str]


def answer(body: str, status: str = "200 OK", more: str = "") -> bytes:
    head = _HEAD.format(status=status, length=len(body.encode()), more=more)
    return head.encode() + body.encode()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that gives each connection the next of these lists of answers; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def start(*scripts: list[bytes]) -> str:
        def run() -> None:
            for script in scripts:
                connection, _ = listening.accept()
                with connection:
                    for part in script:
                        connection.recv(65536)
                        connection.sendall(part)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()
    listening.close()


def test_a_connection_is_used_again(serve: Serve) -> None:
    with ApiClient(serve([answer("1"), answer("2"), answer("")])) as client:
        assert [client.ask("GET", "/"), client.ask("GET", "/")] == [1, 2]
        assert client.ask("DELETE", "/") is None


def test_a_connection_that_the_server_has_closed_is_not(serve: Serve) -> None:
    with ApiClient(serve([answer("1")], [answer("2")])) as client:
        assert client.ask("GET", "/") == 1
        while not connections._has_ended(client._connections._idle[0][1]):
            pass
        assert client.ask("GET", "/") == 2


def test_a_refusal_says_what_the_api_said(serve: Serve) -> None:
    problem = """{"detail": "No.", "code": "invalid_request", "errors":
        [{"loc": ["body", "email"], "msg": "is no address"}]}"""
    url = serve([answer(problem, "422 No", "Retry-After: 7\r\n")])
    with ApiClient(url) as client, pytest.raises(ApiRefused, match="No") as caught:
        client.ask("POST", "/x", body={})
    refusal = caught.value
    assert (refusal.status, refusal.problem, refusal.retry_after) == (422, "invalid_request", 7)
    assert refusal.errors == {"email": "is no address"}


@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", '{"detail": "x", "errors": [{}]}'])
def test_a_refusal_that_cannot_be_read_is_one_still(serve: Serve, body: str) -> None:
    url = serve([answer(body, "502 Bad Gateway")])
    with ApiClient(url) as client, pytest.raises(ApiRefused, match="502"):
        client.ask("GET", "/")


@pytest.mark.parametrize("script", [[b""], [b"no HTTP\r\n\r\n"], [answer("{half")]])
def test_what_is_no_answer_means_that_the_api_cannot_be_reached(
    serve: Serve, script: list[bytes]
) -> None:
    with ApiClient(serve(script)) as client, pytest.raises(ApiUnreachable, match="AIGEN_API_URL"):
        client.ask("GET", "/")


def chunked(*parts: bytes) -> bytes:
    """An answer whose length is not known when it begins."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks


def test_events_come_whole_however_they_are_cut(serve: Serve) -> None:
    text = 'event: delta\ndata: {"text": "a\u2028ü"}\n\n: still there\n\nevent: done\ndata: {}\n\n'
    parts = [bytes([byte]) for byte in text.encode()]
    with ApiClient(serve([chunked(*parts, b"")])) as client:
        found = list(client.stream("/generate/text", body={}))
    assert found == [("delta", {"text": "a\u2028ü"}), None, ("done", {})]


@pytest.mark.parametrize("cut", [chunked(b"event: delta\ndata: {}\n\n"), answer("x" * 100)[:-10]])
def test_a_stream_that_is_cut_is_not_taken_for_whole(serve: Serve, cut: bytes) -> None:
    with ApiClient(serve([cut])) as client:
        events = client.stream("/", body={})
        with pytest.raises(ApiUnreachable):
            list(events)


def test_a_stream_can_be_left(serve: Serve) -> None:
    with ApiClient(serve([answer("event: a\ndata: 1\n\n" * 3)])) as client:
        events = client.stream("/", body={})
        assert next(iter(events)) == ("a", 1)
        events.close()


def test_media_are_fetched_without_the_token() -> None:
    seen: list[bytes] = []

    def run(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            seen.append(connection.recv(65536))
            connection.sendall(answer("film"))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=run, args=(listening,))
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/media/x?signature=y"
        with ApiClient("http://127.0.0.1:1", "secret") as client:
            assert b"".join(client.download(url)) == b"film"
        thread.join()
    assert seen[0].startswith(b"GET /media/x?signature=y HTTP/1.1")
    assert b"secret" not in seen[0]
