"""How an installation is opened and closed; apart from its face, since it loads every adapter."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from aigen.adapters.bcrypt_passwords import BcryptPasswords
from aigen.adapters.file_journal import FileJournal
from aigen.entrypoints.container import Container, new_container
from aigen.entrypoints.data_dir import usable
from aigen.entrypoints.database import opened
from aigen.entrypoints.media import open_media
from aigen.entrypoints.settings import Settings

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


@asynccontextmanager
async def open_container(
    settings: Settings, adapters: Mapping[str, object]
) -> AsyncIterator[Container]:
    """All parts of an installation, at work during the block, some replaced by given ones.

    At its end what was paid for is recorded first, then everything is closed.
    """
    async with AsyncExitStack() as stack:
        needs_provider = not adapters.keys() >= _PROVIDERS
        url = await stack.enter_async_context(_provider(settings, needs_it=needs_provider))
        container = new_container(settings, url, adapters)
        await _open_adapters(container, stack)
        stack.push_async_callback(container.background().drain)
        await stack.enter_async_context(_running(container.housekeeping().run()))
        yield container


async def _open_adapters(container: Container, stack: AsyncExitStack) -> None:
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


@asynccontextmanager
async def _provider(settings: Settings, *, needs_it: bool) -> AsyncIterator[str]:
    """Where the provider is; in demo mode a simulator that runs as long as the block."""
    if not settings.is_demo or not needs_it or settings.has_own_provider:
        yield settings.openrouter_url
        return
    # Imported here: only the demo needs a web framework.
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
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something beside the block, and end it with the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
