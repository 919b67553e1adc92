"""What services live in: a store that goes away, files that fail, requests, and a look around."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from aigen.adapters.memory.media import MemoryMedia
from aigen.domain.model.audit import Action, AuditEntry
from aigen.domain.model.errors import DatabaseUnavailable
from aigen.domain.model.idempotency import IdempotencyKey
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.texts import TextRequest
from aigen.domain.model.video_requests import VideoRequest
from aigen.ports.provider import (
    BadAnswer,
    Failure,
    Misconfigured,
    NotSent,
    Refused,
    Unknown,
)
from aigen.ports.store import Records, Store
from aigen.testing import Harness

T = TypeVar("T")

PASSWORD = "a long pass phrase"
OTHER_PASSWORD = "another long pass phrase"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)

#: Every way in which a provider can fail, the code for whoever asked, and what it says.
FAILURES: list[tuple[Failure, str, str]] = [
    (Refused(reason="no foxes"), "provider_refused", "no foxes"),
    (NotSent(reason="busy"), "provider_unavailable", "nothing was charged"),
    (Misconfigured(reason="no credit"), "provider_misconfigured", "no credit"),
    (Unknown(reason="cut off"), "provider_outcome_unknown", "cut off"),
    (BadAnswer(reason="only words"), "provider_bad_answer", "only words"),
]


class TroubledStore(Store):
    """Another store that is away while it has `trouble`; for changes alone if it `is_read_only`;
    with `hides`, it makes changes and then says that it could not. Counts what was written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.trouble: Exception | None = None
        self.is_read_only = False
        self.hides = False
        self.writes = 0

    def recover(self) -> None:
        self.trouble = None
        self.is_read_only = self.hides = False

    async def read(self, look: Callable[[Records], T]) -> T:
        if self.trouble is not None:
            raise self.trouble
        return await self._store.read(look)

    async def write(self, change: Callable[[Records], T]) -> T:
        if self.trouble is not None:
            raise self.trouble
        if self.is_read_only:
            raise DatabaseUnavailable
        self.writes += 1
        result = await self._store.write(change)
        if self.hides:
            raise DatabaseUnavailable
        return result


class StuckMedia(MemoryMedia):
    """Files that cannot be deleted while it `is_stuck`."""

    def __init__(self) -> None:
        super().__init__()
        self.is_stuck = True

    async def remove(self, prefix: str) -> None:
        if self.is_stuck:
            raise PermissionError("on purpose")
        await super().remove(prefix)


def a_key(key: str = "a-key", fingerprint: str = "the request") -> IdempotencyKey:
    return IdempotencyKey(key=key, fingerprint=fingerprint)


def text_request(prompt: str = "Say hello", **fields: Any) -> TextRequest:
    return TextRequest(model="openai/gpt-4o-mini", prompt=prompt, **fields)


def image_request(prompt: str = "A fox", **fields: Any) -> ImageRequest:
    return ImageRequest(model="black-forest-labs/flux.2-pro", prompt=prompt, **fields)


def video_request(prompt: str = "A fox runs", **fields: Any) -> VideoRequest:
    return VideoRequest(model="google/veo-3.1-lite", prompt=prompt, **fields)


async def started(harness: Harness, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """The work, begun and gone as far as it can go now."""
    task = asyncio.ensure_future(work)
    await harness.clock.settle()
    return task


async def leap(harness: Harness, duration: timedelta) -> None:
    """Let a long time pass at once: what should have happened often meanwhile happens once."""
    harness.clock.set(harness.clock.now() + duration)
    await harness.clock.settle()


async def gone_away(harness: Harness, work: Coroutine[Any, Any, Any]) -> None:
    """Somebody asks, and leaves while the provider is at work."""
    harness.provider.gate.clear()
    task = await started(harness, work)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    harness.provider.gate.set()
    await harness.aigen.background.drain()


async def audited(harness: Harness, action: Action | None = None) -> list[AuditEntry]:
    """What the audit log has of this action, newest first."""
    page = await harness.aigen.admin.audit(PageRequest(limit=1000))
    return [entry for entry in page.items if action in {None, entry.action}]


async def actions(harness: Harness) -> list[Action]:
    """All that was audited, oldest first."""
    return [entry.action for entry in await audited(harness)][::-1]
