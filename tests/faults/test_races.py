"""Cancelling races claiming, hundreds of times on real databases: one of them is first."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.postgres.store import PostgresStore
from aigen.domain.model.ledger import Charge, ChargeState
from aigen.domain.model.videos import VideoJob, VideoState
from aigen.ports.jobs import Claim
from aigen.ports.provider import Accepted
from aigen.testing import Harness
from tests.faults.conftest import SEED
from tests.postgres.installations import store_on
from tests.services.worlds import video_request

WORKER = "00000000-0000-7000-8000-000000000001"
ROUNDS = 40
JOBS = 10


@pytest_asyncio.fixture(params=["duckdb", "postgres"])
async def harness(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Harness]:
    async with AsyncExitStack() as stack:
        store: DuckdbStore | PostgresStore = DuckdbStore(tmp_path / "aigen.duckdb")
        if request.param == "postgres":
            url = request.getfixturevalue("database_url")
            store = await stack.enter_async_context(store_on(url))
        yield await stack.enter_async_context(Harness.open(store=store))


async def test_of_a_cancel_and_a_claim_at_once_the_first_decides(harness: Harness) -> None:
    print(f"seed {SEED}")
    luck = random.Random(SEED)
    user = await harness.user()
    await harness.aigen.work.enlist(WORKER, is_inside=False)
    was_claimed = [
        claimed for _ in range(ROUNDS) for claimed in await one_round(harness, user.id, luck)
    ]
    # Both have won, so that this was a race.
    assert 0 < was_claimed.count(True) < len(was_claimed) == ROUNDS * JOBS


async def one_round(harness: Harness, user_id: str, luck: random.Random) -> list[bool]:
    """Cancel some jobs while they are claimed; of each, whether it was."""
    videos, work = harness.aigen.videos, harness.aigen.work
    jobs = await asyncio.gather(*(videos.submit(user_id, video_request()) for _ in range(JOBS)))
    cancels = [videos.cancel(user_id, job.id) for job in jobs]
    calls = [*cancels, *(work.claim(WORKER, submissions=JOBS // 2) for _ in range(2))]
    luck.shuffle(calls)
    answers = await asyncio.gather(*calls)
    claims = {
        claim.video_id: claim for answer in answers if isinstance(answer, tuple) for claim in answer
    }
    for job in jobs:
        await check(harness, job, claims.get(job.id))
    return [job.id in claims for job in jobs]


async def check(harness: Harness, job: VideoJob, claim: Claim | None) -> None:
    """Cancelled in the queue it is free; cancelled later it stays so, and may cost."""
    after, charge = await now_of(harness, job)
    assert after.state is VideoState.CANCELLED
    assert after.may_be_charged is (claim is not None)
    if claim is None:
        assert charge.state is ChargeState.RELEASED
        return
    assert claim.nonce is not None
    answer = Accepted(provider_job_id=f"theirs-{job.id}")
    assert await harness.aigen.work.record(job.id, claim.nonce, answer) is None
    late, charge = await now_of(harness, job)
    assert (late.state, late.provider_job_id) == (after.state, answer.provider_job_id)
    assert charge.is_open
    assert charge.closes_at is not None


async def now_of(harness: Harness, job: VideoJob) -> tuple[VideoJob, Charge]:
    found, charge = await harness.store.read(
        lambda records: (records.videos.get(job.id), records.charges.get(job.id))
    )
    assert found is not None
    assert charge is not None
    return found, charge
