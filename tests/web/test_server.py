"""The frontend as it is served: `aigen web` and `aigen up` as processes, streams, the end."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import httpx
import pytest
from flask import Flask, Response

from aigen.entrypoints.web.server import WebServer
from tests.e2e.processes import AIGEN, Process, environment, free_port, until
from tests.web.serving import web_token


def test_web_is_served_alone_and_outlives_its_api(house: Process, tmp_path: Path) -> None:
    port, api_port = free_port(), free_port()
    web = Process(
        [AIGEN, "web"],
        environment(
            AIGEN_DATA_DIR=str(tmp_path / "data"),
            AIGEN_WEB_PORT=str(port),
            AIGEN_WEB_TOKEN=web_token(house),
            AIGEN_API_URL=f"http://127.0.0.1:{api_port}",
        ),
        f"http://127.0.0.1:{port}",
        tmp_path / "web.log",
        tmp_path,
    )
    web.start("/login")
    assert f"web {web.url}" in web.output()
    assert not (tmp_path / "data" / "aigen.duckdb").exists()
    assert {file.name for file in (tmp_path / "data").iterdir()} == {"secret-key"}
    assert web.stop() == 0


def test_up_serves_pages_beside_the_api(tmp_path: Path) -> None:
    port, api_port = free_port(), free_port()
    up = Process(
        [AIGEN, "up"],
        environment(
            AIGEN_DATA_DIR=str(tmp_path / "data"),
            AIGEN_WEB_PORT=str(port),
            AIGEN_API_PORT=str(api_port),
        ),
        f"http://127.0.0.1:{port}",
        tmp_path / "up.log",
        tmp_path,
    )
    up.start("/login")
    assert "Demo mode" in httpx.get(up.url + "/login", trust_env=False).text
    assert f"web {up.url}" in up.output()
    assert up.stop() == 0
    up.start("/login")
    up.kill()
    with socket.create_server(("127.0.0.1", port)):
        pass  # nothing is left that holds the port


@pytest.mark.parametrize("command", ["web", "up"])
def test_a_port_that_is_taken_is_said_with_its_setting(command: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [AIGEN, command],
            env=environment(
                AIGEN_DATA_DIR=str(tmp_path / "data"),
                AIGEN_WEB_PORT=str(taken.getsockname()[1]),
                AIGEN_API_PORT="0",
            ),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "set AIGEN_WEB_HOST and AIGEN_WEB_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_written_piece_by_piece_arrives_so(app: Flask) -> None:
    may_end = threading.Event()

    def stream() -> Response:
        def pieces() -> Iterator[str]:
            yield "first\n"
            assert may_end.wait(10)
            yield "last\n"

        return Response(pieces())

    app.add_url_rule("/pieces", view_func=stream)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = WebServer(app, listening, max_body=1000)
        with urlopen(f"http://127.0.0.1:{listening.getsockname()[1]}/pieces") as answer:
            assert answer.readline() == b"first\n"
            may_end.set()
            assert answer.readline() == b"last\n"
        server.drain(5)


def test_draining_finishes_what_is_being_answered_and_takes_nothing_new(app: Flask) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def slow() -> str:
        has_begun.set()
        assert may_end.wait(10)
        return json.dumps("whole " * 10_000)

    app.add_url_rule("/slow", view_func=slow)
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = WebServer(app, listening, max_body=1000)
    got: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: got.append(httpx.get(f"{url}/slow", trust_env=False)))
    asking.start()
    assert has_begun.wait(10)
    draining = threading.Thread(target=server.drain, args=(10,))
    draining.start()
    until(lambda: refuses(url), "new connections to be refused")
    may_end.set()
    asking.join(10)
    draining.join(10)
    assert got[0].json() == "whole " * 10_000
    assert not server._thread.is_alive()


def refuses(url: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=0.5):
            return False
    except OSError:
        return True
