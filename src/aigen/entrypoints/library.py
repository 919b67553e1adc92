"""aigen as a Python object: the same services that the HTTP API calls, opened and closed."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

from attrs import frozen

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
from aigen.entrypoints.secrets_file import Secrets
from aigen.entrypoints.settings import Settings
from aigen.entrypoints.threads import LoopElsewhere, loop_in_thread
from aigen.ports.clock import Clock, Ids
from aigen.ports.events import Events
from aigen.ports.jobs import Journal
from aigen.ports.media import MediaLinks, MediaStore
from aigen.ports.provider import (
    ChatProvider,
    CostLookup,
    ImageProvider,
    ModelCatalogue,
    TextProvider,
    VideoProvider,
)
from aigen.ports.security import EmailParser, PasswordHasher, TokenCodec
from aigen.ports.store import Store

if TYPE_CHECKING:
    from aigen.entrypoints.container import Container

T = TypeVar("T")


class Adapters(TypedDict, total=False):
    """What `Aigen.open` lets its caller replace: any object that keeps its port's promises.

    aigen opens and closes its own adapters alone; whoever brings one does that for it.
    """

    text_provider: TextProvider
    chat_provider: ChatProvider
    image_provider: ImageProvider
    video_provider: VideoProvider
    catalogue: ModelCatalogue
    cost_lookup: CostLookup
    store: Store
    media: MediaStore
    links: MediaLinks
    journal: Journal
    events: Events
    passwords: PasswordHasher
    tokens: TokenCodec
    emails: EmailParser
    clock: Clock
    ids: Ids


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
    _loop: LoopElsewhere

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings | None = None, **adapters: Unpack[Adapters]
    ) -> AsyncIterator["Aigen"]:
        """Open an installation, by default the one that the environment describes.

        Any adapter can be replaced: see `Adapters`. Raises SettingsInvalid and CannotStart. At the
        end of the block what was paid for is recorded first, then everything is closed.
        """
        settings = settings or Settings()
        if unknown := adapters.keys() - Adapters.__annotations__.keys():
            raise TypeError(f"aigen has no adapter called {', '.join(sorted(unknown))}")
        # It loads the adapters, which is most of what there is to load.
        from aigen.entrypoints.opening import open_container  # noqa: PLC0415

        async with open_container(settings, adapters) as container:
            yield _assemble(container)

    @classmethod
    @contextmanager
    def in_thread(
        cls, settings: Settings | None = None, **adapters: Unpack[Adapters]
    ) -> Iterator["Aigen"]:
        """The same for code that is not async: what is asked of it by `run`, `each` and `within`
        is done on an event loop in a thread of its own."""
        with loop_in_thread() as loop, loop.within(cls.open(settings, **adapters)) as aigen:
            yield aigen

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """`await`, for code in another thread than this installation's loop, of which many may
        ask at a time: what the work gives or raises. Ctrl-C cancels the work.

        Raises RuntimeError in the loop's own thread, and when the installation is closed.
        """
        return self._loop.run(work)

    def each(self, items: AsyncIterator[T]) -> Iterator[T]:
        """`async for`, in the same sense."""
        return self._loop.each(items)

    def within(self, manager: AbstractAsyncContextManager[T]) -> AbstractContextManager[T]:
        """`async with`, in the same sense; the manager is not told of an error in the block."""
        return self._loop.within(manager)

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
        loop=LoopElsewhere(asyncio.get_running_loop()),
    )
