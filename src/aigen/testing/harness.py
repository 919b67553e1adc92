"""An `Aigen` over in-memory adapters, and the strings to pull on them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from attrs import frozen
from pydantic_settings import SettingsConfigDict

from aigen.adapters.local_events import LocalEvents
from aigen.adapters.memory.clock import ManualClock
from aigen.adapters.memory.journal import MemoryJournal
from aigen.adapters.memory.media import MemoryMedia
from aigen.adapters.memory.provider import ScriptedProvider
from aigen.adapters.memory.security import PlainEmails, PlainPasswords, PlainTokens
from aigen.adapters.memory.store import MemoryStore
from aigen.domain.model.users import User
from aigen.entrypoints.library import Aigen
from aigen.entrypoints.settings import Settings
from aigen.entrypoints.threads import loop_in_thread
from aigen.ports.store import Store

#: Good enough to pass for secrets, and the same each time.
_SECRETS = {
    "secret_key": "0123456789abcdefghijklmnopqrstuvwxyz",
    "pepper": "zyxwvutsrqponmlkjihgfedcba9876543210",
    "worker_token": "a-worker",
    "operator_token": "the-operator",
    "web_token": "the-frontend",
}


class _BareSettings(Settings):
    """Settings that look at no variable and no file."""

    model_config = SettingsConfigDict(env_prefix="NOT_AIGEN_", env_file=None)


def bare_settings(**arguments: Any) -> Settings:
    """Settings with these values and the defaults, whatever the environment says, and with
    secrets that need no data dir."""
    return _BareSettings(**_SECRETS | {"openrouter_api_key": "a-key"} | arguments)


@frozen(kw_only=True, eq=False)
class Harness:
    """`aigen` is what is tested; the others are the world around it."""

    aigen: Aigen
    store: Store
    clock: ManualClock
    provider: ScriptedProvider
    media: MemoryMedia
    journal: MemoryJournal

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings | None = None, *, store: Store | None = None
    ) -> AsyncIterator["Harness"]:
        """An empty installation; time stands still at its clock's beginning."""
        clock, media, journal = ManualClock(), MemoryMedia(), MemoryJournal()
        provider = ScriptedProvider(clock)
        store = store or MemoryStore()
        async with Aigen.open(
            settings or bare_settings(),
            store=store,
            clock=clock,
            media=media,
            links=media,
            journal=journal,
            passwords=PlainPasswords(),
            tokens=PlainTokens(clock),
            events=LocalEvents(),
            emails=PlainEmails(),
            text_provider=provider,
            chat_provider=provider,
            image_provider=provider,
            video_provider=provider,
            catalogue=provider,
            cost_lookup=provider,
        ) as aigen:
            yield cls(
                aigen=aigen,
                store=store,
                clock=clock,
                provider=provider,
                media=media,
                journal=journal,
            )

    @classmethod
    @contextmanager
    def in_thread(
        cls, settings: Settings | None = None, *, store: Store | None = None
    ) -> Iterator["Harness"]:
        """The same for tests that are not async; they ask by `harness.aigen.run`."""
        with loop_in_thread() as loop, loop.within(cls.open(settings, store=store)) as harness:
            yield harness

    async def user(self, email: str = "ann@example.org") -> User:
        """A plain user, with the pass phrase "a long pass phrase"."""
        return await self.aigen.users.add(email, "a long pass phrase")
