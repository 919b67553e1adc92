"""Events among all processes of an installation, over LISTEN and NOTIFY."""

import asyncio
import json
import random
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final

import psycopg
import structlog

from aigen.adapters.postgres.database import Connection, Database
from aigen.domain.model.errors import AigenError
from aigen.domain.model.videos import VideoState
from aigen.ports.clock import Ids
from aigen.ports.events import Events, Subscription, VideoEvent

logger = structlog.get_logger()

_CHANNEL: Final = "aigen_events"

#: PostgreSQL takes up to 8,000 bytes in a notification; an event has about 60.
_EVENTS_IN_A_NOTIFICATION = 100

#: Events that wait to be sent while the database is away or slow.
_LONGEST_OUTBOX = 10_000

_SECONDS_BETWEEN_TRIES = 0.5
_SECONDS_BETWEEN_COUNTS = 15.0

#: How much later the next worker hears of a new job, unless it hears first that it is taken: about
#: what a claim takes.
_HEAD_START_SECONDS = 0.02
_LONGEST_WAIT_SECONDS = 0.2

_COUNT_WORKERS = "SELECT count(*) FROM workers WHERE expires_at > now() AT TIME ZONE 'UTC'"


class PostgresEvents(Events):
    """Who listens here is told at once, by `local`; everybody else by the database.

    Of a new job that comes from elsewhere the processes hear one after the other, in an order
    drawn anew each time, and those that hear meanwhile that it is taken do not hear that it is
    new: so it wakes one idle worker rather than all of them.
    """

    def __init__(self, database: Database, local: Events, ids: Ids) -> None:
        self._database = database
        self._local = local
        self._origin = ids.secret()
        self._outbox: list[VideoEvent] = []
        self._has_news = asyncio.Event()
        self._is_listening = asyncio.Event()
        self._workers = 1
        self._held_back: dict[str, asyncio.TimerHandle] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Begin to listen and to send."""
        self._tasks = [
            asyncio.create_task(self._keep_listening()),
            asyncio.create_task(self._keep_sending()),
        ]
        listening = asyncio.create_task(self._is_listening.wait())
        await asyncio.wait({listening, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()

    async def close(self) -> None:
        """Send what waits, and stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for timer in self._held_back.values():
            timer.cancel()
        with suppress(AigenError):
            await self._send()

    # --- the port ---------------------------------------------------------------------------

    async def publish(self, *events: VideoEvent) -> None:
        await self._local.publish(*events)
        room = _LONGEST_OUTBOX - len(self._outbox)
        self._outbox.extend(events[:room])
        self._has_news.set()

    def subscribe(self, video_id: str | None = None) -> AbstractAsyncContextManager[Subscription]:
        return self._local.subscribe(video_id)

    # --- sending ----------------------------------------------------------------------------

    async def _keep_sending(self) -> None:
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            try:
                await self._send()
            except AigenError:
                # Sweeps find what is not announced; old news would only be in the way then.
                logger.warning("events_were_not_sent")

    async def _send(self) -> None:
        events, self._outbox = self._outbox, []
        if not events:
            return
        payloads = [
            _written(self._origin, events[first : first + _EVENTS_IN_A_NOTIFICATION])
            for first in range(0, len(events), _EVENTS_IN_A_NOTIFICATION)
        ]

        def notify(connection: Connection) -> None:
            connection.execute(
                "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload",
                (_CHANNEL, payloads),
            )

        await self._database.run(notify)

    # --- listening --------------------------------------------------------------------------

    async def _keep_listening(self) -> None:
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                if self._is_listening.is_set():
                    logger.warning("events_are_not_heard", error=str(error).partition("\n")[0])
                self._is_listening.clear()
            await asyncio.sleep(_SECONDS_BETWEEN_TRIES)

    async def _listen(self) -> None:
        async with await self._database.connect_async() as connection:
            await connection.execute(f"LISTEN {_CHANNEL}")
            while True:
                cursor = await connection.execute(_COUNT_WORKERS)
                ((self._workers,),) = await cursor.fetchall()
                self._is_listening.set()
                async for notification in connection.notifies(timeout=_SECONDS_BETWEEN_COUNTS):
                    origin, events = _read(notification.payload)
                    if origin != self._origin:
                        await self._hear(events)

    async def _hear(self, events: Iterable[VideoEvent]) -> None:
        now: list[VideoEvent] = []
        for event in events:
            held_back = self._held_back.pop(event.video_id, None)
            if held_back is not None:
                held_back.cancel()
            wait = self._wait() if event.state.is_waiting else 0.0
            if wait:
                self._hold_back(event, wait)
            else:
                now.append(event)
        await self._local.publish(*now)

    def _wait(self) -> float:
        longest = min(_HEAD_START_SECONDS * (self._workers - 1), _LONGEST_WAIT_SECONDS)
        return random.uniform(0, longest)  # noqa: S311 - decides who is first, hides nothing

    def _hold_back(self, event: VideoEvent, wait: float) -> None:
        def let_go() -> None:
            del self._held_back[event.video_id]
            self._tasks = [task for task in self._tasks if not task.done()]
            self._tasks.append(asyncio.create_task(self._local.publish(event)))

        loop = asyncio.get_running_loop()
        self._held_back[event.video_id] = loop.call_later(wait, let_go)


def _written(origin: str, events: list[VideoEvent]) -> str:
    rows = [(event.video_id, event.state.value, event.ask_provider) for event in events]
    return json.dumps([origin, rows], separators=(",", ":"))


def _read(payload: str) -> tuple[str, list[VideoEvent]]:
    """Who says it, and what; a notification that cannot be read is another version's."""
    try:
        said: Any = json.loads(payload)
        origin, rows = said
        return origin, [
            VideoEvent(video_id=video_id, state=VideoState(state), ask_provider=ask_provider)
            for video_id, state, ask_provider in rows
        ]
    except (ValueError, TypeError):
        return "", []
