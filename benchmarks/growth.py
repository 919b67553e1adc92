"""What growing costs the embedded store: opening it, looks, pages, a claim and a change, with ten
thousand rows of each kind and with a million.

The rows are what a thousand people leave behind: finished videos and texts, the newest last. The
same for PostgreSQL is in `./dev bench postgres`.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

import duckdb

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.local_events import LocalEvents
from aigen.adapters.memory.media import MemoryMedia
from aigen.adapters.system_clock import SystemClock, SystemIds
from aigen.domain.model.pages import PageRequest
from aigen.domain.services.work import Work, WorkPolicy
from aigen.ports.store import HistoryQuery, Records
from aigen.testing.samples import a_job, a_user, stored
from benchmarks.pace import paced, say
from benchmarks.report import Report
from benchmarks.tables import Bound, Result, show

WARM_UP = 100
SMALL, LARGE = 10_000, paced(1_000_000, 200_000)
OWNERS = 1000
READS = paced(50, 10)
CLAIMED = 5
_OWNER = f"('01900000-0000-7000-8000-' || format('{{:012d}}', n % {OWNERS}))::UUID"
_ID = "('01900000-0000-7000-8001-' || format('{:012d}', n))::UUID"

_FILL = (
    f"""
INSERT INTO users (id, email, identity, password_hash, role, created_at)
SELECT {_OWNER}, 'person-' || n || '@example.org', 'person-' || n || '@example.org', 'x', 'user',
    TIMESTAMP '2026-01-01'
FROM range({OWNERS}) AS numbers(n)
""",
    f"""
INSERT INTO generated_videos (
    id, user_id, generation_type, status, model, prompt, is_held, epoch, attempts, may_be_charged,
    cost_usd, created_at, updated_at, not_before, deadline_at
)
SELECT {_ID}, {_OWNER}, 'text_to_video', 'completed', 'google/veo-3.1-lite',
    'A fox in the snow, number ' || n || repeat(', seen from above', 5), false, 1, 1, true, 0.25,
    made, made, made, made
FROM (SELECT n, TIMESTAMP '2026-01-01' + to_seconds(n) AS made FROM range($rows) AS numbers(n))
""",
    f"""
INSERT INTO generated_texts (
    id, user_id, model, prompt, text, finish_reason, usage, cost_usd, created_at
)
SELECT {_ID}, {_OWNER}, 'openai/gpt-4o-mini', 'Say hello, number ' || n, repeat('Hello. ', 40),
    'stop', '{{"prompt_tokens": 2, "completion_tokens": 80, "total_tokens": 82}}', 0.00005,
    TIMESTAMP '2026-01-01' + to_seconds(n)
FROM range($rows) AS numbers(n)
""",
)

#: The bound of each: how many times as long it may take with a hundred times the rows, or, where
#: all rows are gone through, how many milliseconds.
BOUNDS = {
    "opening": "≤ 1,000 ms",
    "status of an old job": "≤ 5 ×",
    "gallery page of 20": "≤ 5 ×",
    "history page of 20": "≤ 5 ×",
    "search in the history": "≤ 100 ms",
    "page of 20 users": "≤ 100 ms",
    f"claim of {CLAIMED}": "≤ 1.5 ×",
    "durable change": "≤ 1.5 ×",
}


def run() -> Report:
    costs = {rows: asyncio.run(_costs(rows)) for rows in (WARM_UP, SMALL, LARGE)}
    results = []
    for name, bound in BOUNDS.items():
        small, large = costs[SMALL][name], costs[LARGE][name]
        results.append(
            Result(
                name=name,
                figures={
                    f"ms at {LARGE:,} rows": f"{large:.2f}",
                    f"ms at {SMALL:,}": f"{small:.2f}",
                    f"× {SMALL:,} rows": f"{large / small:.2f}",
                },
                bounds=(Bound(bound, large / small if bound.endswith("×") else large),),
            )
        )
    return Report([show("The embedded store as it grows", results, f"median of {READS}")])


async def _costs(rows: int) -> dict[str, float]:
    """Milliseconds of each."""
    say(f"the embedded store with {rows:,} rows")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "aigen.duckdb"
        await _fill(file, rows)
        store = DuckdbStore(file)
        began = time.perf_counter()
        await store.open()
        opening = (time.perf_counter() - began) * 1000
        try:
            return {"opening": opening} | await _costs_of(store, rows)
        finally:
            await store.close()


async def _fill(file: Path, rows: int) -> None:
    """As an installation that was stopped would have left it."""
    store = DuckdbStore(file)
    await store.open()
    await store.close()
    with duckdb.connect(str(file)) as connection:
        for statement in _FILL:
            connection.execute(statement, {"rows": rows} if "$rows" in statement else {})


async def _costs_of(store: DuckdbStore, rows: int) -> dict[str, float]:
    owner = "01900000-0000-7000-8000-000000000007"
    page = PageRequest(limit=20)
    mine = HistoryQuery(user_id=owner, page=page)
    found = HistoryQuery(user_id=owner, page=page, text="number 7")

    def status(number: int) -> Callable[[Records], object]:
        # Each time another one: what was read once is remembered.
        place = number * (rows // READS)
        return lambda records: records.videos.get(f"01900000-0000-7000-8001-{place:012d}")

    def look(at: Callable[[Records], object]) -> Callable[[int], Awaitable[object]]:
        return lambda _: store.read(at)

    return {
        "status of an old job": await _median(lambda number: store.read(status(number))),
        "gallery page of 20": await _median(look(lambda records: records.videos.page(mine))),
        "history page of 20": await _median(look(lambda records: records.texts.page(mine))),
        "search in the history": await _median(look(lambda records: records.texts.page(found))),
        "page of 20 users": await _median(look(lambda records: records.users.page(None, page))),
        f"claim of {CLAIMED}": await _claim(store),
        "durable change": await _median(lambda _: stored(store, a_user(id=SystemIds().new()))),
    }


async def _claim(store: DuckdbStore) -> float:
    now, ids = SystemClock().now(), SystemIds()
    users = [a_user(id=ids.new()) for _ in range(100)]
    times = {"created_at": now, "updated_at": now, "not_before": now}
    jobs = [
        a_job(users[n % 100], id=ids.new(), deadline_at=now + timedelta(hours=2), **times)
        for n in range(READS * CLAIMED)
    ]
    await stored(store, *users, *jobs)
    policy = WorkPolicy(lease=timedelta(minutes=5))
    board = Work(store, MemoryMedia(), LocalEvents(), SystemClock(), ids, policy)
    worker_id = ids.new()
    await board.enlist(worker_id, is_inside=False)
    claim = partial(board.claim, worker_id, submissions=CLAIMED)
    took = await _median(lambda _: claim())
    await board.release(worker_id)
    return took


async def _median(work: Callable[[int], Awaitable[object]]) -> float:
    """Milliseconds of the work, which is told how often it was done before."""
    took = []
    for number in range(READS):
        began = time.perf_counter()
        await work(number)
        took.append((time.perf_counter() - began) * 1000)
    return median(took)
