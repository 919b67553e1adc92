"""Frontends of an API, served in threads of ours."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from aigen.entrypoints.web.server import WebServer
from tests.e2e.processes import Process

KEYS = (b"k" * 32,)


def web_token(house: Process) -> str:
    """What makes an API believe its frontend."""
    data = Path(house.env["AIGEN_DATA_DIR"])
    return (data / "web-token").read_text(encoding="utf-8").strip()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of a frontend, served as `aigen web` does."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = WebServer(app, listening, max_body=2**20)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.drain(5)
