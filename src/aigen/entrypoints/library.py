"""aigen as a Python object: the same services that the HTTP API calls, opened and closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from attrs import frozen

from aigen.adapters.bcrypt_passwords import BcryptPasswords
from aigen.adapters.file_journal import FileJournal
from aigen.domain.services.accounts import Accounts
from aigen.domain.services.administration import Administration
from aigen.domain.services.background import Background
from aigen.domain.services.chats import Chats
from aigen.domain.services.history import History
from aigen.domain.services.housekeeping import Housekeeping
from aigen.domain.services.images import Images
from aigen.domain.services.keys import Keys
from aigen.domain.services.models import Models
from aigen.domain.services.money import Money
from aigen.domain.services.provider_health import ProviderHealth
from aigen.domain.services.retention import Retention
from aigen.domain.services.sessions import Sessions
from aigen.domain.services.texts import Texts
from aigen.domain.services.videos import Videos
from aigen.domain.services.work import Work
from aigen.domain.services.worker import Worker
from aigen.entrypoints.data_dir import usable
from aigen.entrypoints.database import opened
from aigen.entrypoints.media import open_media
from aigen.entrypoints.secrets_file import Secrets
from aigen.entrypoints.settings import Settings
from aigen.ports.clock import Clock
from aigen.ports.events import Events
from aigen.ports.media import MediaLinks, MediaStore
from aigen.ports.store import Store

if TYPE_CHECKING:
    from aigen.entrypoints.container import Container

#: The provider ports; when all are replaced, nothing needs to stand in for the provider.
_PROVIDERS = frozenset(
    {
        "text_provider",
        "chat_provider",
        "image_provider",
        "video_provider",
        "catalogue",
        "cost_lookup",
    }
)

#: What `Aigen.open` lets its caller replace.
REPLACEABLE = _PROVIDERS | {
    "clock",
    "emails",
    "events",
    "ids",
    "journal",
    "links",
    "media",
    "passwords",
    "store",
    "tokens",
}


@frozen(kw_only=True, eq=False)
class Aigen:
    """An open installation.

    `users`, `sessions`, `texts`, `images`, `videos`, `history`, `models` and `admin` are what
    people ask for; the others are for those who build an entrypoint of their own.
    """

    settings: Settings
    secrets: Secrets
    users: Accounts
    sessions: Sessions
    texts: Texts
    chats: Chats
    images: Images
    videos: Videos
    history: History
    models: Models
    money: Money
    keys: Keys
    admin: Administration
    work: Work
    health: ProviderHealth
    background: Background
    housekeeping: Housekeeping
    retention: Retention
    store: Store
    media: MediaStore
    links: MediaLinks
    events: Events
    clock: Clock
    _container: "Container"

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings | None = None, **adapters: Any
    ) -> AsyncIterator["Aigen"]:
        """Open an installation, by default the one that the environment describes.

        Any adapter can be replaced by an object that satisfies its port: `store`, `media`,
        `text_provider`, … (see `REPLACEABLE`). Raises SettingsInvalid and CannotStart. At the end
        of the block what was paid for is recorded first, then everything is closed.
        """
        settings = settings or Settings()
        if unknown := adapters.keys() - REPLACEABLE:
            raise TypeError(f"aigen has no adapter called {', '.join(sorted(unknown))}")
        async with AsyncExitStack() as stack:
            needs_provider = not adapters.keys() >= _PROVIDERS
            url = await stack.enter_async_context(_provider(settings, needs_it=needs_provider))
            # Its library looks for web frameworks to work with, and loads them.
            from aigen.entrypoints.container import new_container  # noqa: PLC0415

            container = new_container(settings, url, adapters)
            await _open_adapters(container, stack)
            aigen = _assemble(container)
            stack.push_async_callback(aigen.background.drain)
            await stack.enter_async_context(_running(aigen.housekeeping.run()))
            yield aigen

    def new_worker(self, *, is_inside: bool = True) -> Worker:
        """A worker that lives in this process, with its API unless it is not `is_inside`; call
        its `run`."""
        return self._container.worker(is_inside=is_inside)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Worker]:
        """A worker that runs in the background of the block and is drained at its end."""
        worker = self.new_worker()
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await running


async def _open_adapters(container: "Container", stack: AsyncExitStack) -> None:
    """Open what needs it, in this order; the stack closes it in the other."""
    media, store, passwords = container.media(), container.store(), container.passwords()
    journal = container.journal()
    if isinstance(journal, FileJournal):
        usable(container.settings().data_dir)
    await open_media(media)
    if isinstance(passwords, BcryptPasswords):
        stack.callback(passwords.close)
    if isinstance(journal, FileJournal):
        stack.callback(journal.close)
    clock, events = container.clock(), container.events()
    await stack.enter_async_context(opened(container.database(), store, clock, events))
    stack.push_async_callback(container.clients().aclose)


def _assemble(container: "Container") -> Aigen:
    return Aigen(
        settings=container.settings(),
        secrets=container.secrets(),
        users=container.users(),
        sessions=container.sessions(),
        texts=container.texts(),
        chats=container.chats(),
        images=container.images(),
        videos=container.videos(),
        history=container.history(),
        models=container.models(),
        money=container.money(),
        keys=container.keys(),
        admin=container.admin(),
        work=container.work(),
        health=container.health(),
        background=container.background(),
        housekeeping=container.housekeeping(),
        retention=container.retention(),
        store=container.store(),
        media=container.media(),
        links=container.links(),
        events=container.events(),
        clock=container.clock(),
        container=container,
    )


@asynccontextmanager
async def _provider(settings: Settings, *, needs_it: bool) -> AsyncIterator[str]:
    """Where the provider is; in demo mode a simulator that runs as long as the block."""
    if not settings.is_demo or not needs_it or settings.has_own_provider:
        yield settings.openrouter_url
        return
    # Imported here: only the demo needs a second web framework's worth of memory.
    from aigen.adapters.openrouter.simulator import (  # noqa: PLC0415
        Simulator,
        SimulatorOptions,
        serve_simulator,
    )

    memory = usable(settings.data_dir) / "simulator-jobs"
    options = SimulatorOptions(chunk_seconds=0.03, image_seconds=1.5, video_seconds=10.0)
    async with serve_simulator(Simulator(options, memory=memory)) as running:
        yield running.url


@asynccontextmanager
async def _running(work: Any) -> AsyncIterator[None]:
    """Run something beside the block, and end it with the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
