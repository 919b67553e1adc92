"""A provider that a test scripts byte by byte, on a thread and an event loop of its own."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from attrs import define, field

from aigen.adapters.memory.provider import MP4
from tests.openrouter.servers import Connection, RawServer, Seen, http, serving

Answer = Callable[[Connection, Seen], Awaitable[None]]

VIDEOS = "/api/v1/videos"


@define
class Hostile:
    """What it was asked, and how it answers: to a submission by its prompt's first word, else
    as a good provider, whose jobs are finished at their first poll."""

    submits: dict[str, Answer] = field(factory=dict)
    polls: Answer | None = None
    contents: Answer | None = None
    _server: RawServer = field(default=RawServer("", []), init=False)

    @property
    def url(self) -> str:
        """As the simulator's: without the path that every client appends."""
        return self._server.origin

    @property
    def requests(self) -> list[Seen]:
        return list(self._server.requests)

    @property
    def submissions(self) -> list[Any]:
        return [seen.json for seen in self.requests if seen.target == VIDEOS and seen.body]

    def sent(self, prompt: str) -> int:
        """How often this was handed over."""
        return sum(submission["prompt"] == prompt for submission in self.submissions)

    def asked_for(self, ending: str) -> int:
        """How many requests went to such an address."""
        return sum(seen.target.partition("?")[0].endswith(ending) for seen in self.requests)

    async def handle(self, connection: Connection) -> None:
        seen = await connection.request()
        path = seen.target.partition("?")[0]
        if path == VIDEOS and seen.body:
            word = seen.json["prompt"].split()[0]
            await self.submits.get(word, take)(connection, seen)
        elif path.endswith("/content"):
            await (self.contents or film)(connection, seen)
        elif path.startswith(VIDEOS + "/"):
            await (self.polls or done)(connection, seen)
        else:
            about: object = {} if path.endswith("/key") else []
            await connection.send(http(200, {"data": about}))


async def take(connection: Connection, seen: Seen) -> None:
    """The job is accepted."""
    await connection.send(http(202, {"id": id_of(seen), "status": "pending"}))


async def done(connection: Connection, seen: Seen) -> None:
    job_id = unquote(seen.target.rpartition("/")[2])
    content = f"{connection.server.origin}{seen.target}/content"
    await connection.send(
        http(200, {"id": job_id, "status": "completed", "unsigned_urls": [content]})
    )


async def in_progress(connection: Connection, seen: Seen) -> None:
    await connection.send(http(200, {"status": "in_progress"}))


async def film(connection: Connection, seen: Seen) -> None:
    await connection.send(http(200, MP4, content_type="video/mp4"))


async def withhold(connection: Connection, seen: Seen) -> None:
    """The request was read, and nothing is said."""
    await connection.hold()


async def reset(connection: Connection, seen: Seen) -> None:
    connection.reset()


async def drip(connection: Connection, seen: Seen) -> None:
    """An answer that goes on for ever, a byte at a time."""
    await connection.send(b"HTTP/1.1 202 Accepted\r\ncontent-length: 1000000\r\n\r\n{")
    while True:
        await connection.send(b" ")
        await asyncio.sleep(0.05)


async def slow_film(connection: Connection, seen: Seen) -> None:
    """It begins as a film, and does not end."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: 1000000\r\n\r\n"
    await connection.send(head + MP4)
    await connection.hold()


def saying(status: int, body: bytes | object, **headers: str) -> Answer:
    async def answer(connection: Connection, seen: Seen) -> None:
        await connection.send(http(status, body, **headers))

    return answer


def raw(data: bytes) -> Answer:
    async def answer(connection: Connection, seen: Seen) -> None:
        await connection.send(data)

    return answer


def id_of(seen: Seen) -> str:
    """The id that the provider gives a submission: its prompt, as much as an id may be long."""
    prompt: str = json.loads(seen.body)["prompt"]
    return "job-" + prompt[:60].replace(" ", "-")


@contextmanager
def hostile() -> Iterator[Hostile]:
    """A hostile provider until the block ends."""
    found = Hostile()
    loop = asyncio.new_event_loop()
    is_up, stopping = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with serving(found.handle) as server:
            found._server = server
            is_up.set()
            await stopping.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()], name="provider")
    thread.start()
    assert is_up.wait(10)
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(20)
        loop.close()
