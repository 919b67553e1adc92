"""The standalone worker: on the database, or over HTTP against a house that owns its data alone."""

import asyncio
from contextlib import AsyncExitStack, suppress

import structlog

from aigen.adapters.file_journal import FileJournal
from aigen.adapters.http.board import HouseClient, HttpEvents, HttpJobBoard, HttpMediaFiles
from aigen.adapters.local_events import LocalEvents
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.videos import OpenRouterVideos
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.errors import AigenError
from aigen.domain.services.worker import Worker, WorkerPolicy
from aigen.entrypoints.data_dir import usable
from aigen.entrypoints.processes import Stop, within
from aigen.entrypoints.residence import settle_in
from aigen.entrypoints.secrets_file import kept
from aigen.entrypoints.settings import Settings, SettingsInvalid

logger = structlog.get_logger()


_COMES_BACK_AFTER_SECONDS = 5.0


async def keep_working(worker: Worker) -> None:
    """Run a worker until it is stopped; one that fails by a bug of ours is started again."""
    while True:
        try:
            await worker.run()
        except AigenError:
            raise
        except Exception:
            logger.exception("worker_failed")
            await asyncio.sleep(_COMES_BACK_AFTER_SECONDS)
        else:
            return


async def serve_worker(settings: Settings, stop: Stop) -> None:
    """Work until told to stop: on PostgreSQL, or through the API at AIGEN_API_URL.

    Raises SettingsInvalid without a provider, CannotStart, Forbidden if the API refuses the
    worker's token.
    """
    if settings.is_demo and not settings.has_own_provider:
        raise SettingsInvalid(
            "OPENROUTER_API_KEY: a standalone worker needs the provider's key, or "
            "AIGEN_OPENROUTER_URL of a simulator that it shares with the API."
        )
    async with AsyncExitStack() as stack:
        worker = await _build(settings, stack)
        working = asyncio.create_task(keep_working(worker))
        stopping = asyncio.create_task(stop.wait())
        where = {} if settings.postgres_url is not None else {"api": settings.api_base}
        logger.info("worker_started", **where)
        settle_in()
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not working.done():
            worker.stop()
            await within(settings.shutdown_grace.total_seconds(), asyncio.shield(working))
            working.cancel()
        with suppress(asyncio.CancelledError):
            await working
    logger.info("stopped")


def _token(settings: Settings) -> str:
    if settings.worker_token is not None:
        return settings.worker_token.get_secret_value()
    return kept(settings.data_dir, "worker-token")


async def _build(settings: Settings, stack: AsyncExitStack) -> Worker:
    if settings.postgres_url is None:
        return _build_distant(settings, stack)
    # Most workers over HTTP live on machines where every megabyte counts.
    from aigen.entrypoints.library import Aigen  # noqa: PLC0415

    aigen = await stack.enter_async_context(Aigen.open(settings))
    return aigen.new_worker(is_inside=False)


def _build_distant(settings: Settings, stack: AsyncExitStack) -> Worker:
    house = HouseClient(settings.api_base, _token(settings))
    stack.push_async_callback(house.aclose)
    key = settings.openrouter_api_key
    clients = OpenRouterClients(
        base_url=settings.openrouter_url,
        api_key=key.get_secret_value() if key else "demo",
        submit_timeout=settings.submit_timeout,
        text_timeout=settings.text_timeout,
        image_timeout=settings.image_timeout,
    )
    stack.push_async_callback(clients.aclose)
    journal = FileJournal(usable(settings.data_dir) / "journals")
    stack.callback(journal.close)
    return Worker(
        HttpJobBoard(house),
        OpenRouterVideos(clients),
        HttpMediaFiles(house),
        HttpEvents(house, LocalEvents()),
        journal,
        house.clock,
        SystemIds(),
        WorkerPolicy(
            sweep=settings.worker_interval,
            poll=settings.poll_interval,
            concurrency=settings.worker_concurrency,
            lease=settings.lease,
            largest_film=settings.max_media,
        ),
        is_inside=False,
    )
