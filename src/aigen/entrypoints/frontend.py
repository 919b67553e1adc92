"""The frontend's process: what it is told of our settings, and how it is served."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from aigen.entrypoints.processes import Stop, listen
from aigen.entrypoints.residence import settle_in
from aigen.entrypoints.secrets_file import derived, kept
from aigen.entrypoints.settings import Settings
from aigen.entrypoints.web.app import create_app
from aigen.entrypoints.web.server import WebServer
from aigen.entrypoints.web.settings import WebSettings

logger = structlog.get_logger()

#: What is left of an answer when the API has drained is sent in less.
_LAST_SECONDS = 5.0


def web_settings(settings: Settings) -> WebSettings:
    """What the frontend needs to know. Raises CannotStart if the data dir cannot be used."""
    given = settings.secret_key
    keys = given.get_secret_value() if given else kept(settings.data_dir, "secret-key")
    token = settings.web_token
    return WebSettings(
        api_url=settings.api_base,
        keys=derived(keys.split(","), "frontend"),
        web_token=token.get_secret_value() if token else kept(settings.data_dir, "web-token"),
        web_url=settings.web_url,
        trusted_proxies=tuple(settings.trusted_proxies),
        max_body=settings.max_body,
        retry_window=settings.refresh_retry_window,
    )


def listen_for_web(settings: Settings) -> tuple[socket.socket, Settings]:
    """The frontend's socket, and the settings with its port. Raises CannotStart."""
    listening = listen(settings.web_host, settings.web_port, "WEB")
    return listening, settings.model_copy(update={"web_port": listening.getsockname()[1]})


async def serve_web(settings: Settings, stop: Stop) -> None:
    """Serve the frontend alone until told to stop; the API may come and go meanwhile.

    Raises CannotStart before anything is served.
    """
    listening, settings = listen_for_web(settings)
    server = _new_server(settings, listening)
    print(
        f"aigen is running:  web {settings.web_base}  for the API {settings.api_base}", flush=True
    )
    settle_in()
    await stop.wait()
    logger.info("draining")
    await asyncio.to_thread(server.drain, settings.shutdown_grace.total_seconds())
    logger.info("stopped")


@asynccontextmanager
async def frontend(settings: Settings, listening: socket.socket) -> AsyncIterator[None]:
    """Serve the frontend beside the block, which serves the API and has drained it at its end."""
    server = _new_server(settings, listening)
    try:
        yield
    finally:
        await asyncio.to_thread(server.drain, _LAST_SECONDS)


def _new_server(settings: Settings, listening: socket.socket) -> WebServer:
    return WebServer(create_app(web_settings(settings)), listening, max_body=settings.max_body)
