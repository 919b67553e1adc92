"""A worker fetches what is finished, stores it whole, and stops when nobody wants it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from aigen.adapters.memory.provider import ScriptedProvider
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoError, VideoJob, VideoStatus
from aigen.ports.provider import (
    ContentMissing,
    ContentUnavailable,
    Done,
    InProgress,
)
from aigen.testing import MP4, PNG, Harness
from tests.services.boards import now_of, submitted
from tests.services.workers import a_worker, ended, passed, running
from tests.services.worlds import HOUR, MINUTE, SECOND

CENT = Decimal("0.01")
READY = Done(addresses=("film",), cost_usd=CENT)


class SlowFilms(ScriptedProvider):
    """Films that begin, and go on when the `film_gate` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.film_gate = asyncio.Event()
        self.left: list[str] = []

    @asynccontextmanager
    async def fetch(
        self, provider_job_id: str, address: str | None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        self.fetched.append(address)
        try:
            yield self._pieces()
        finally:
            self.left.append(provider_job_id)

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield MP4
        await self.film_gate.wait()
        yield b"the rest"


async def worked_off(harness: Harness, user: User) -> VideoJob:
    """A new job, when a worker has brought it to its end."""
    async with running(harness):
        return await ended(harness, await submitted(harness, user))


# --- finished, but where? ---------------------------------------------------------------------


async def test_a_film_without_an_address_is_fetched_by_route_after_three_more_polls(
    harness: Harness, ann: User
) -> None:
    harness.provider.polls.add(*[Done(cost_usd=CENT)] * 10)
    job = await worked_off(harness, ann)
    assert job.status is VideoStatus.COMPLETED
    assert len(harness.provider.polled) == 4
    assert harness.provider.fetched == [None]


async def test_a_film_that_is_nowhere_is_no_content(harness: Harness, ann: User) -> None:
    harness.provider.polls.add(*[Done(cost_usd=CENT)] * 10)
    harness.provider.films.add(*[ContentMissing("404")] * 10)
    job = await worked_off(harness, ann)
    assert (job.error_code, job.cost_usd) == (VideoError.NO_CONTENT, CENT)
    assert job.may_be_charged


async def test_the_next_address_is_tried_when_the_first_gives_nothing(
    harness: Harness, ann: User
) -> None:
    harness.provider.polls.add(Done(addresses=("first", "second", "third")))
    harness.provider.films.add(ContentMissing("404"), ContentUnavailable("500"))
    job = await worked_off(harness, ann)
    assert job.status is VideoStatus.COMPLETED
    assert harness.provider.fetched == ["first", "second", "third"]


async def test_a_download_is_tried_five_times_each_with_a_fresh_address(
    harness: Harness, ann: User
) -> None:
    addresses = [f"film-{number}" for number in range(10)]
    harness.provider.polls.add(*(Done(addresses=(at,), cost_usd=CENT) for at in addresses))
    harness.provider.films.add(*[ContentUnavailable("500")] * 10)
    job = await worked_off(harness, ann)
    assert (job.error_code, job.cost_usd) == (VideoError.MEDIA_UNAVAILABLE, CENT)
    assert harness.provider.fetched == addresses[:5]
    assert harness.media.files == {}


async def test_a_download_that_works_at_last_completes_the_job(harness: Harness, ann: User) -> None:
    harness.provider.polls.add(*[READY] * 5)
    harness.provider.films.add(*[ContentUnavailable("500")] * 4)
    assert (await worked_off(harness, ann)).status is VideoStatus.COMPLETED


@pytest.mark.parametrize("content", [b"<html>no film</html>", PNG, b"<svg/>"])
async def test_what_is_no_film_is_rejected_and_not_fetched_again(
    harness: Harness, ann: User, content: bytes
) -> None:
    harness.provider.polls.add(READY)
    harness.provider.films.add(content)
    job = await worked_off(harness, ann)
    assert (job.error_code, job.cost_usd) == (VideoError.MEDIA_REJECTED, CENT)
    assert job.may_be_charged
    assert harness.provider.fetched == ["film"]
    assert harness.media.files == {}


async def test_a_film_that_is_too_large_is_rejected(harness: Harness, ann: User) -> None:
    async with running(harness, a_worker(harness, largest_film=len(MP4) - 1)):
        job = await ended(harness, await submitted(harness, ann))
    assert job.error_code is VideoError.MEDIA_REJECTED


# --- a full disk ------------------------------------------------------------------------------


async def test_a_full_disk_keeps_jobs_processing_and_buys_nothing_more(
    harness: Harness, ann: User
) -> None:
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        harness.media.is_full = True
        waiting = await submitted(harness, ann)
        await harness.clock.advance(20 * MINUTE)
        assert (await now_of(harness, job)).status is VideoStatus.PROCESSING
        assert (await now_of(harness, waiting)).status is VideoStatus.QUEUED
        assert len(harness.provider.submissions) == 1
        assert harness.provider.fetched == []
        harness.media.is_full = False
        for each in (job, waiting):
            done = await ended(harness, each, within=5 * MINUTE)
            assert done.status is VideoStatus.COMPLETED


async def test_a_disk_that_stays_full_ends_jobs_at_their_deadline(
    harness: Harness, ann: User
) -> None:
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        harness.media.is_full = True
        job = await ended(harness, job, step=15 * SECOND)
    assert (job.error_code, job.may_be_charged) == (VideoError.DEADLINE, True)


# --- owners who change their minds ------------------------------------------------------------


async def test_a_job_cancelled_while_it_is_polled_is_not_asked_for_again(
    harness: Harness, ann: User
) -> None:
    harness.provider.polls.add(*[InProgress()] * 100)
    async with running(harness):
        job = await submitted(harness, ann)
        await passed(harness, lambda: len(harness.provider.polled) == 3)
        cancelled = await harness.aigen.videos.cancel(ann.id, job.id)
        await harness.clock.advance(10 * MINUTE)
        assert len(harness.provider.polled) == 3
    assert await now_of(harness, job) == cancelled
    assert cancelled.may_be_charged


@pytest.mark.parametrize("who", ["cancelled", "removed"])
async def test_a_film_that_nobody_wants_any_more_is_not_fetched_to_the_end(
    harness: Harness, ann: User, who: str
) -> None:
    provider = SlowFilms()
    async with running(harness, a_worker(harness, provider=provider)):
        job = await submitted(harness, ann)
        await passed(harness, lambda: provider.fetched == ["film"])
        assert provider.left == []
        if who == "cancelled":
            await harness.aigen.videos.cancel(ann.id, job.id)
        else:
            await harness.aigen.users.remove(ann.id)
        await harness.clock.settle()
        assert provider.left == ["job-1"]
        await harness.clock.advance(10 * MINUTE)
    assert len(provider.polled) == 1
    assert harness.media.files == {}


async def test_a_worker_that_stops_lets_go_of_a_half_fetched_film(
    harness: Harness, ann: User
) -> None:
    provider = SlowFilms()
    async with running(harness, a_worker(harness, provider=provider)):
        job = await submitted(harness, ann)
        await passed(harness, lambda: provider.fetched == ["film"])
    assert provider.left == ["job-1"]
    provider.film_gate.set()
    async with running(harness, a_worker(harness, provider=provider)):
        done = await ended(harness, job, within=HOUR)
    assert done.media is not None
    assert harness.media.files == {done.media.key: MP4 + b"the rest"}
    assert len(provider.submissions) == 1
