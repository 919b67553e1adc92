"""A load generator that costs little itself: HTTP/1.1 by hand over kept connections."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen


@frozen(kw_only=True)
class Load:
    """What came of it: `statuses` counts answers, `latencies` are seconds, sorted."""

    seconds: float
    statuses: dict[int, int]
    latencies: list[float]

    @property
    def rate(self) -> float:
        return sum(self.statuses.values()) / self.seconds

    def quantile(self, share: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


async def hammer(
    url: str,
    *,
    requests: int,
    connections: int = 16,
    body: Any = None,
    token: str | None = None,
    cookie: str | None = None,
) -> Load:
    """Send the same request so often over so many connections; POST if it has a body."""
    address = urlsplit(url)
    message = _message(address.netloc, address.path, body, token, cookie)
    left = iter(range(requests))
    statuses: dict[int, int] = {}
    latencies: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for _ in left:
            began = time.perf_counter()
            writer.write(message)
            status = await _answer(reader)
            latencies.append(time.perf_counter() - began)
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()
        await writer.wait_closed()

    began = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(connections)))
    seconds = time.perf_counter() - began
    return Load(seconds=seconds, statuses=statuses, latencies=sorted(latencies))


async def probed(
    url: str, *, seconds: float, pause: float = 0.01, token: str | None = None
) -> list[float]:
    """Seconds until each answer to the same look, one after the other for so long; sorted."""
    address = urlsplit(url)
    message = _message(address.netloc, address.path, None, token, None)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    waits: list[float] = []
    stop_at = time.perf_counter() + seconds
    while (began := time.perf_counter()) < stop_at:
        writer.write(message)
        status = await _answer(reader)
        waits.append(time.perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"the answer was {status}")
        await asyncio.sleep(pause)
    writer.close()
    await writer.wait_closed()
    return sorted(waits)


async def first_tokens(
    url: str, *, requests: int, body: Any, token: str | None = None
) -> list[float]:
    """Seconds until the first event of each streamed answer, one after the other; sorted."""
    address = urlsplit(url)
    message = _message(address.netloc, address.path, body, token, None)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    waits: list[float] = []
    for _ in range(requests):
        began = time.perf_counter()
        writer.write(message)
        await reader.readuntil(b"data: ")
        waits.append(time.perf_counter() - began)
        await reader.readuntil(b"\r\n0\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return sorted(waits)


def _message(host: str, path: str, body: Any, token: str | None, cookie: str | None) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
    ]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if cookie is not None:
        lines.append(f"Cookie: {cookie}")
    return "\r\n".join([*lines, "", ""]).encode() + content


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    lower = head.lower()
    place = lower.find(b"content-length:")
    if place >= 0:
        length = int(lower[place + 15 : lower.index(b"\r\n", place)])
        await reader.readexactly(length)
    return status
