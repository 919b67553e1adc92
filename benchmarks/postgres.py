"""PostgreSQL: claims and reservations a second, what a million rows cost, and jobs through four
worker processes.

Durable: PostgreSQL with its defaults, in a server of its own or the one that the tests are given.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median, quantiles

import httpx
import psycopg
from tests.postgres.server import running_server

from aigen import Aigen, Settings, VideoRequest
from aigen.adapters.local_events import LocalEvents
from aigen.adapters.memory.media import MemoryMedia
from aigen.adapters.postgres.database import Database
from aigen.adapters.postgres.events import PostgresEvents
from aigen.adapters.postgres.store import PostgresStore
from aigen.adapters.system_clock import SystemClock, SystemIds
from aigen.domain.model.ledger import HOUSE, Charge, Kind, Limits
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoJob
from aigen.domain.services import ledger
from aigen.domain.services.work import Work, WorkPolicy
from aigen.entrypoints.settings import variable_of
from aigen.ports.store import HistoryQuery, Records
from aigen.testing.samples import a_job, a_user, stored
from benchmarks.pace import paced
from benchmarks.processes import AIGEN, free_port, running, working
from benchmarks.report import Report, machine
from benchmarks.tables import Bound, Result, Table, show

WORKERS = 4
BATCH = 20
CLAIMED = paced(8000, 400)
RESERVATIONS = paced(2400, 240)
RESERVING = 24
SMALL, LARGE = 10_000, paced(1_000_000, 20_000)
OWNERS = 1000
READS = paced(300, 40)
JOBS = paced(500, 40)
STEADY = paced(100, 20)
SECRETS = {
    "secret_key": "0123456789abcdefghijklmnopqrstuvwxyz",
    "pepper": "zyxwvutsrqponmlkjihgfedcba9876543210",
}

#: Finished jobs of many users, as a year leaves them behind.
_FILL = f"""
INSERT INTO generated_videos (
    id, user_id, generation_type, status, model, prompt, is_held, epoch, attempts, may_be_charged,
    cost_usd, created_at, updated_at, not_before, deadline_at
)
SELECT ('01900000-0000-7000-8001-' || to_char(n, 'FM000000000000'))::uuid,
    ('01900000-0000-7000-8000-' || to_char(mod(n, {OWNERS}), 'FM000000000000'))::uuid,
    'text_to_video', 'completed', 'google/veo-3.1-lite', repeat('A fox in the snow. ', 5), false,
    1, 1, true, 0.25, now(), now(), now(), now()
FROM generate_series(%s::int, %s::int) AS n
"""


def run() -> Report:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        server = stack.enter_context(running_server(folder / "data", is_durable=True))
        tables = []
        for measure in (_claims, _reservations, _rows, _processes):
            with server.database() as url:
                tables.append(asyncio.run(measure(url)))
        with server.database() as url:
            return Report(tables, machine(PostgreSQL=version(url)))


def version(url: str) -> str:
    """The server's."""
    with psycopg.connect(url) as connection:
        number = connection.info.server_version
    return f"{number // 10_000}.{number % 10_000}"


# --- claims ---------------------------------------------------------------------------------


def _board(database: Database, store: PostgresStore) -> Work:
    """A job board as in a worker's process; nobody listens to what it tells."""
    events = PostgresEvents(database, LocalEvents(), SystemIds())
    policy = WorkPolicy(lease=timedelta(minutes=5))
    return Work(store, MemoryMedia(), events, SystemClock(), SystemIds(), policy)


def _waiting_jobs(count: int) -> tuple[list[User], list[VideoJob]]:
    now = SystemClock().now()
    users = [a_user(id=SystemIds().new()) for _ in range(100)]
    times = {"created_at": now, "updated_at": now, "not_before": now}
    jobs = [
        a_job(users[n % 100], id=SystemIds().new(), deadline_at=now + timedelta(hours=2), **times)
        for n in range(count)
    ]
    return users, jobs


async def _claims(url: str) -> Table:
    rate, conflicts = await claims_a_second(url)
    return show(
        f"{CLAIMED} queued jobs of 100 users, each to be claimed once",
        [
            Result(
                name=f"{WORKERS} workers",
                figures={"a second": f"{rate:.0f}", "made again": str(conflicts)},
                bounds=(Bound("≥ 2,000 a second", rate),),
            )
        ],
        f"batches of {BATCH}",
    )


async def claims_a_second(url: str) -> tuple[float, int]:
    """Of four workers on an empty database; and how many claims were made again."""
    claimed: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        databases = [Database(url) for _ in range(WORKERS)]
        stores = [PostgresStore(database) for database in databases]
        for store in stores:
            await store.open()
            stack.push_async_callback(store.close)
        boards = list(map(_board, databases, stores))
        users, jobs = _waiting_jobs(CLAIMED)
        await stored(stores[0], *users)
        for first in range(0, CLAIMED, 500):
            await stored(stores[0], *jobs[first : first + 500])

        async def work(board: Work) -> None:
            worker_id = SystemIds().new()
            await board.enlist(worker_id, is_inside=False)
            while claims := await board.claim(worker_id, submissions=BATCH):
                claimed.update(claim.video_id for claim in claims)

        began = time.perf_counter()
        await asyncio.gather(*map(work, boards))
        rate = CLAIMED / (time.perf_counter() - began)
        conflicts = sum(store.conflicts for store in stores)
    if claimed != Counter(job.id for job in jobs):
        raise RuntimeError("a job was claimed twice or not at all")
    return rate, conflicts


# --- reservations ---------------------------------------------------------------------------


async def _reservations(url: str) -> Table:
    rates = await reservations_a_second(url)
    return show(
        f"Reservations of {RESERVING} users at once",
        [
            Result(name=name, figures={"a second": f"{rate:.0f}"})
            for name, rate in zip(("no cap of the house", "a cap of the house"), rates, strict=True)
        ],
    )


async def reservations_a_second(url: str) -> tuple[float, float]:
    """Without a cap of the whole house, and with one, whose row they all change."""
    async with AsyncExitStack() as stack:
        stores = [PostgresStore(Database(url)) for _ in range(2)]
        for store in stores:
            await store.open()
            stack.push_async_callback(store.close)

        async def reserve(number: int) -> None:
            user_id = SystemIds().new()
            for _ in range(RESERVATIONS // RESERVING):
                await stores[number % 2].write(partial(ledger.reserve, charge=a_charge(user_id)))

        async def rate() -> float:
            began = time.perf_counter()
            await asyncio.gather(*map(reserve, range(RESERVING)))
            return RESERVATIONS / (time.perf_counter() - began)

        free = await rate()
        await stored(stores[0], Limits(owner=HOUSE, usd_month=Decimal(1_000_000)))
        return free, await rate()


def a_charge(user_id: str) -> Charge:
    """What a text reserves."""
    return Charge(
        id=SystemIds().new(),
        user_id=user_id,
        kind=Kind.TEXT,
        model="openai/gpt-4o-mini",
        created_at=SystemClock().now(),
        estimate_usd=Decimal("0.0001"),
    )


# --- rows -----------------------------------------------------------------------------------


async def _rows(url: str) -> Table:
    database = Database(url)
    store = PostgresStore(database)
    await store.open()
    measured: dict[int, dict[str, float]] = {}
    there = 0
    for size in (SMALL, LARGE):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_FILL.encode(), (there, size - 1))
            connection.execute("VACUUM ANALYZE generated_videos")
        there = size
        measured[size] = await _costs(store, _board(database, store))
    await store.close()
    return show(
        "The cost of a row's company",
        [
            Result(
                name=name,
                figures={
                    f"ms at {LARGE:,} rows": f"{measured[LARGE][name]:.2f}",
                    f"ms at {SMALL:,}": f"{measured[SMALL][name]:.2f}",
                    f"× {SMALL:,} rows": f"{measured[LARGE][name] / measured[SMALL][name]:.2f}",
                },
                bounds=(Bound("≤ 1.5 ×", measured[LARGE][name] / measured[SMALL][name]),),
            )
            for name in measured[SMALL]
        ],
        f"median of {READS}",
    )


async def _costs(store: PostgresStore, board: Work) -> dict[str, float]:
    _, jobs = _waiting_jobs(READS * BATCH // 4)
    await stored(store, *jobs)
    worker_id = SystemIds().new()
    await board.enlist(worker_id, is_inside=False)
    owner = "01900000-0000-7000-8000-000000000007"
    query = HistoryQuery(user_id=owner, page=PageRequest(limit=20))
    ids = [job.id for job in jobs]

    def status(records: Records) -> object:
        return records.videos.get(ids[len(ids) // 2])

    async def claim() -> object:
        return await board.claim(worker_id, submissions=5)

    costs = {
        "status read": await _median(lambda: store.read(status)),
        "gallery page of 20": await _median(
            lambda: store.read(lambda records: records.videos.page(query))
        ),
        "claim of 5": await _median(claim),
    }
    await board.release(worker_id)
    return costs


async def _median(work: Callable[[], Awaitable[object]]) -> float:
    took = []
    for _ in range(READS):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


# --- processes ------------------------------------------------------------------------------


async def _processes(url: str) -> Table:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        command = [AIGEN, "simulator", "--port", str(port)]
        provider = stack.enter_context(running(command, port, "/simulator/summary", None))
        settings = {
            "database_url": url,
            "media_url": f"file://{folder}/media",
            "openrouter_api_key": "sk-or-v1-benchmark",
            "openrouter_url": f"{provider.url}/api/v1",
            "jobs_per_user": str(2 * JOBS),
            "poll_interval": "1",
        } | SECRETS
        variables = {variable_of(name): value for name, value in settings.items()}
        for number in range(WORKERS):
            own = variables | {"AIGEN_DATA_DIR": str(folder / f"worker-{number}")}
            stack.enter_context(working([AIGEN, "worker"], own))
        async with Aigen.open(Settings(data_dir=folder / "here", **settings)) as house:
            user = await house.users.add("ann@example.org", "a long pass phrase")
            await _all_at_work(house)
            steady = await _made(house, user, STEADY, pause=0.05)
            burst = await _made(house, user, JOBS, pause=0.0)
        posts = _posts(provider.url)
    waits = [(job.submitted_at - job.created_at).total_seconds() for job in steady]  # type: ignore[operator]
    completed = sum(job.media is not None for job in burst)
    took = max(job.finished_at for job in burst) - min(job.created_at for job in burst)  # type: ignore[type-var, operator]
    return show(
        f"Jobs through {WORKERS} worker processes",
        [
            Result(
                name=f"{STEADY} jobs, 20 a second, from queued to submitted",
                figures={
                    "p50 ms": f"{median(waits) * 1000:.0f}",
                    "p95 ms": f"{quantiles(waits, n=20)[-1] * 1000:.0f}",
                },
                bounds=(Bound("< 100 ms", median(waits) * 1000),),
            ),
            Result(
                name=f"{JOBS} jobs at once",
                figures={
                    "s until all are done": f"{took.total_seconds():.1f}",
                    "requests for each": f"{min(posts.values())} to {max(posts.values())}",
                    "completed": str(completed),
                },
                bounds=(
                    Bound("≤ 1 request for each", max(posts.values())),
                    Bound(f"≥ {JOBS} completed", completed),
                ),
            ),
        ],
    )


async def _all_at_work(house: Aigen) -> None:
    while True:
        leases = await house.store.read(lambda records: records.workers.all())
        if len(leases) == WORKERS:
            return
        await asyncio.sleep(0.05)  # they are other processes


async def _made(house: Aigen, user: User, count: int, *, pause: float) -> list[VideoJob]:
    """So many jobs, submitted and waited for."""

    async def one(number: int) -> VideoJob:
        await asyncio.sleep(number * pause)
        prompt = f"{count} jobs, number {number}"
        request = VideoRequest(model="google/veo-3.1-lite", prompt=prompt, duration=4)
        return await house.videos.wait((await house.videos.submit(user.id, request)).id)

    return list(await asyncio.gather(*map(one, range(count))))


def _posts(url: str) -> Counter[str]:
    """How often the provider was asked for each prompt."""
    entries = httpx.get(f"{url}/simulator/journal", trust_env=False).json()["entries"]
    return Counter(e["prompt"] for e in entries if e["route"] == "POST /api/v1/videos")
