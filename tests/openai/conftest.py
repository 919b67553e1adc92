"""Installations over the simulator, or over a provider of recorded answers, and SDK clients."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from attrs import frozen

from aigen.adapters.openrouter.catalogue import OpenRouterCatalogue
from aigen.adapters.openrouter.chats import OpenRouterChats
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.costs import OpenRouterCosts
from aigen.adapters.openrouter.images import OpenRouterImages
from aigen.adapters.openrouter.simulator import RunningSimulator, serve_simulator
from aigen.adapters.openrouter.simulator.server import listening
from aigen.adapters.openrouter.videos import OpenRouterVideos
from aigen.adapters.system_clock import SystemClock
from aigen.domain.model.ledger import Charge
from aigen.ports.store import HistoryQuery
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from tests.api.world import Person, World, app_of, opened
from tests.openrouter.servers import Handler, RawServer, client_tls, serving

PROVIDER_KEY = "sk-or-v1-secret-key-of-the-tests"


@frozen(kw_only=True, eq=False)
class Shop:
    """An installation on a socket, somebody who has an account there, and his SDK client, which
    shows a personal key and is as eager to repeat as it comes."""

    world: World
    url: str
    ann: Person
    client: AsyncOpenAI

    async def charges(self) -> list[Charge]:
        """All there are, of generations that are known by their history or their id."""
        await self.world.aigen.background.drain()
        return await self.world.look(
            lambda records: [
                charge
                for page in (records.texts, records.images, records.videos)
                for item in page.page(_all_of(self.ann)).items
                if (charge := records.charges.get(item.id)) is not None
            ]
        )


def _all_of(person: Person) -> HistoryQuery:
    return HistoryQuery(user_id=person.id)


class Open(Protocol):
    async def __call__(self, provider_url: str, **settings: Any) -> Shop: ...


class Recorded(Protocol):
    async def __call__(self, handler: Handler) -> tuple[Shop, RawServer]: ...


@pytest.fixture
async def open_shop(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens an installation whose provider is at an address."""
    async with AsyncExitStack() as stack:

        async def make(provider_url: str, **settings: Any) -> Shop:
            opening = _shop(tmp_path, provider_url, settings)
            return await stack.enter_async_context(opening)

        yield make


@pytest.fixture
async def simulator() -> AsyncIterator[RunningSimulator]:
    async with serve_simulator() as running:
        yield running


@pytest.fixture
async def shop(open_shop: Open, simulator: RunningSimulator) -> Shop:
    """The usual one, over the simulator."""
    return await open_shop(simulator.url)


@pytest.fixture
async def recorded(open_shop: Open) -> AsyncIterator[Recorded]:
    """Opens one over a provider that says byte by byte what it is told to."""
    async with AsyncExitStack() as stack:

        async def make(handler: Handler) -> tuple[Shop, RawServer]:
            server = await stack.enter_async_context(serving(handler))
            # Without a catalogue, which would be asked for first.
            return await open_shop(server.url, catalogue=None), server

        yield make


@asynccontextmanager
async def _shop(folder: Path, provider_url: str, settings: dict[str, Any]) -> AsyncIterator[Shop]:
    patience = timedelta(seconds=10)
    clients = OpenRouterClients(
        base_url=provider_url,
        api_key=PROVIDER_KEY,
        submit_timeout=patience,
        text_timeout=patience,
        image_timeout=patience,
        tls=client_tls(),
    )
    adapters = {
        "clock": SystemClock(),
        "chat_provider": OpenRouterChats(clients),
        "image_provider": OpenRouterImages(clients),
        "video_provider": OpenRouterVideos(clients),
        "catalogue": OpenRouterCatalogue(clients),
        "cost_lookup": OpenRouterCosts(clients),
    }
    if "catalogue" in settings:
        del settings["catalogue"], adapters["catalogue"]
    usual = {"poll_interval": 0.01, "worker_interval": 0.05}
    async with opened(folder / "data", adapters, **usual | settings) as world:
        ann = await world.ann()
        key = await world.aigen.keys.make(ann.id, "the SDK")
        async with listening(app_of(world.house)) as origin, sdk(origin, key.text) as client:
            yield Shop(world=world, url=f"{origin}/v1", ann=ann, client=client)
            await world.aigen.background.drain()
    await clients.aclose()


@asynccontextmanager
async def sdk(origin: str, key: str) -> AsyncIterator[AsyncOpenAI]:
    http = DefaultAsyncHttpxClient(trust_env=False, verify=client_tls())
    async with AsyncOpenAI(api_key=key, base_url=f"{origin}/v1", http_client=http) as client:
        yield client
