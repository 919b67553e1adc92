"""A load balancer as small as can be: every connection goes to the next server that takes it."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle

from tests.e2e.processes import free_port

_CHUNK_BYTES = 65536


@contextmanager
def balancing(ports: Sequence[int]) -> Iterator[str]:
    """The address in front of servers on these ports, until the block ends; they may come and go,
    and whoever is connected to one that goes is hung up on."""
    port = free_port()
    loop = asyncio.new_event_loop()
    is_up, stopping = threading.Event(), asyncio.Event()
    turns = cycle(range(len(ports)))

    async def serve() -> None:
        async with await asyncio.start_server(handle, "127.0.0.1", port):
            is_up.set()
            await stopping.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = next(turns)
        for number in (*ports[first:], *ports[:first]):
            try:
                answers, requests = await asyncio.open_connection("127.0.0.1", number)
            except OSError:
                continue
            await _joined((reader, requests), (answers, writer))
            return
        writer.close()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()], name="balancer")
    thread.start()
    assert is_up.wait(10)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(20)
        loop.close()


async def _joined(*ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Pass on what comes on each way until one of them ends."""
    passing = [asyncio.create_task(_pass_on(reader, writer)) for reader, writer in ways]
    try:
        await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in passing:
            task.cancel()
        for _, writer in ways:
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
