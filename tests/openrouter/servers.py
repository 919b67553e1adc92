"""Servers that say exactly what a test wants, byte by byte, and note what they were asked."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import define, frozen

CERTIFICATE = Path(__file__).parent / "localhost.pem"

Handler = Callable[["Connection"], Awaitable[None]]


@frozen(kw_only=True)
class Seen:
    """A request as it came over the wire."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@define
class RawServer:
    origin: str
    requests: list[Seen]
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{self.origin}/api/v1"

    @property
    def port(self) -> int:
        return int(self.origin.rpartition(":")[2])


@frozen(kw_only=True)
class Connection:
    server: RawServer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> Seen:
        """Read one whole request, and note it."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        seen = Seen(target=first.split(" ")[1], headers=headers, body=body)
        self.server.requests.append(seen)
        return seen

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """RST instead of FIN."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hold(self) -> None:
        """Say nothing until the client leaves."""
        while await self.reader.read(65536):
            pass


@asynccontextmanager
async def serving(handler: Handler, *, tls: bool = False) -> AsyncIterator[RawServer]:
    """A server whose connections are handled so; all of them are gone when the block ends."""
    tasks: set[asyncio.Task[None]] = set()
    running = RawServer("", [])

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(Connection(server=running, reader=reader, writer=writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client left, as clients do
        finally:
            tasks.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    context = server_tls() if tls else None
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    running.origin = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    try:
        yield running
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def answering(*answers: bytes) -> Handler:
    """Answers in turn, the last one for ever, each on a connection of its own."""
    left = list(answers)

    async def handle(connection: Connection) -> None:
        await connection.request()
        await connection.send(left.pop(0) if len(left) > 1 else left[0])

    return handle


def http(status: int, body: bytes | object = b"", **headers: str) -> bytes:
    """An answer; what is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-length": str(len(content)), "connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + content


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def client_tls() -> ssl.SSLContext:
    """Trusts the servers here and nobody else."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))
