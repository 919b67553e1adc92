"""A start that finds thousands of jobs in flight."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.ledger import Charge, Kind
from aigen.domain.model.videos import ProviderJob, VideoJob
from aigen.domain.services import ledger
from aigen.ports.store import Records, WorkerLease
from tests.e2e.processes import VIDEO_MODEL, until
from tests.faults.books import books
from tests.faults.hostile import hostile, in_progress, saying
from tests.faults.houses import House

POLLED = 1500
IN_FLIGHT = 500
DEAD = "00000000-0000-7000-8000-00000000dead"


def test_a_restart_with_thousands_of_jobs_in_flight_polls_all_and_sends_none_again(
    new_house: Callable[..., House],
) -> None:
    with hostile() as provider:
        provider.polls = in_progress
        house = new_house(provider.url)
        root = house.root()
        user_id = root.get("/users/me")["id"]
        house.api.kill()
        asyncio.run(fill(house.data / "aigen.duckdb", user_id))
        house.revive(house.api)

        def polled() -> set[str]:
            return {seen.target.rpartition("/")[2] for seen in provider.requests}

        mine = {f"theirs-{number}" for number in range(POLLED)}
        until(lambda: mine <= polled(), "a poll of each")
        counts = root.get("/admin/stats")["videos"]
        assert (counts["processing"], counts["outcome_unknown"]) == (POLLED, IN_FLIGHT)
        assert provider.submissions == []
        provider.polls = saying(200, {"status": "failed", "error": "Sorry", "usage": {"cost": 0}})
        until(lambda: root.get("/admin/stats")["videos"]["processing"] == 0, "the end of all")
        house.stop()
        found = books(house.data)
        assert provider.submissions == []
        assert len(found.jobs) == POLLED + IN_FLIGHT
        found.must_balance()


async def fill(file: Path, user_id: str) -> None:
    """As an API leaves it that was killed while it had all this to do."""
    store = DuckdbStore(file)
    await store.open()
    now, ids = datetime.now(UTC), SystemIds()

    def change(records: Records) -> None:
        lease = WorkerLease(worker_id=DEAD, expires_at=now + timedelta(hours=1), is_inside=True)
        records.workers.put(lease)
        for number in range(POLLED + IN_FLIGHT):
            put(records, begun(ids.new(), user_id, now), f"theirs-{number}", number < POLLED)

    def put(records: Records, job: VideoJob, provider_job_id: str, is_taken: bool) -> None:
        charge = Charge(
            id=job.id,
            user_id=user_id,
            kind=Kind.VIDEO,
            model=job.model,
            created_at=now,
            estimate_usd=Decimal("0.2"),
        )
        ledger.reserve(records, charge)
        if is_taken:
            job = job.accepted(provider_job_id=provider_job_id, polling_url=None, now=now)
            records.provider_jobs.put(
                ProviderJob(provider_job_id=provider_job_id, video_id=job.id, user_id=user_id)
            )
        records.videos.put(job)

    await store.write(change)
    await store.close()


def begun(job_id: str, user_id: str, now: datetime) -> VideoJob:
    """A job whose submission is in flight."""
    queued = VideoJob(
        id=job_id,
        user_id=user_id,
        model=VIDEO_MODEL,
        prompt="one of many",
        created_at=now,
        updated_at=now,
        not_before=now,
        deadline_at=now + timedelta(hours=2),
    )
    return queued.claimed(worker_id=DEAD, nonce=SystemIds().secret(), now=now)
