"""The store: durable changes a second, beside one commit for each change and beside SQLite.

One change reads a job, checks its state, and puts the next; every answer is durable.
"""

import asyncio
import queue
import sqlite3
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import duckdb
from attrs import frozen

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.domain.model.videos import VideoJob, VideoState
from aigen.ports.store import Records
from aigen.testing.samples import LATER, NOW, a_job, a_user, new_id
from benchmarks.pace import QUICK, paced
from benchmarks.report import Report
from benchmarks.tables import Bound, Result, show

JOBS = 2000
SECONDS = paced(30, 3) / 10
WRITERS = (1, 64) if QUICK else (1, 16, 64, 256)
ROUNDS = paced(3, 1)
WORKER = new_id()
BOUNDS = {64: ("≥ 12,000 a second",), 256: ("≥ 30,000 a second", "≥ 12 ×")}

Change = Callable[[str], Awaitable[None]]


@frozen(kw_only=True)
class Measured:
    rate: float
    cpu: float


def run() -> Report:
    results = []
    for writers in WRITERS:
        ours = max((asyncio.run(_aigen(writers)) for _ in range(ROUNDS)), key=lambda m: m.rate)
        single = asyncio.run(_one_commit_each(writers))
        sqlite = asyncio.run(_sqlite(writers))
        results.append(
            Result(
                name=f"{writers} writers",
                figures={
                    "a second": f"{ours.rate:.0f}",
                    "CPU µs": f"{ours.cpu * 1e6:.0f}",
                    "one commit each": f"{single.rate:.0f}",
                    "× one commit each": f"{ours.rate / single.rate:.1f}",
                    "SQLite FULL": f"{sqlite.rate:.0f}",
                    "× SQLite FULL": f"{ours.rate / sqlite.rate:.1f}",
                },
                bounds=tuple(
                    map(Bound, BOUNDS.get(writers, ()), (ours.rate, ours.rate / single.rate))
                ),
            )
        )
    how = f"best of {ROUNDS} × {SECONDS:.1f} s"
    return Report([show(f"Durable changes of {JOBS} jobs", results, how)])


async def _hammered(change: Change, ids: list[str], writers: int) -> Measured:
    """Let so many writers change one job after the other for a while."""
    done = 0
    stop_at = time.perf_counter() + SECONDS

    async def writer(first: int) -> None:
        nonlocal done
        place = first
        while time.perf_counter() < stop_at:
            await change(ids[place % len(ids)])
            place += writers
            done += 1

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(writer(first) for first in range(writers)))
    rate = done / (time.perf_counter() - began)
    return Measured(rate=rate, cpu=(time.process_time() - cpu) / done)


async def _aigen(writers: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        store = DuckdbStore(Path(folder) / "aigen.duckdb")
        await store.open()
        user = a_user()
        jobs = [a_job(user) for _ in range(JOBS)]

        def fill(records: Records) -> None:
            # As in a running house: there are workers who ask for what is ready.
            for job in jobs:
                records.videos.put(job)
            records.videos.ready(NOW, 1)

        await store.write(fill)

        async def change(video_id: str) -> None:
            await store.write(lambda records: records.videos.put(_moved(records, video_id)))

        measured = await _hammered(change, [job.id for job in jobs], writers)
        await store.close()
    return measured


def _moved(records: Records, video_id: str) -> VideoJob:
    """The job one step on: claimed, or given back."""
    job = records.videos.get(video_id)
    if job is None:
        raise LookupError(video_id)
    if job.state is VideoState.QUEUED:
        return job.claimed(worker_id=WORKER, nonce="a nonce", now=NOW)
    return job.not_accepted(not_before=LATER, now=NOW)


async def _one_commit_each(writers: int) -> Measured:
    """DuckDB as it is used first: a statement and a commit for every change, in a thread."""
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(str(Path(folder) / "peer.duckdb"))
        connection.execute("SET threads = 1")
        ids = _fill(connection, "UUID")

        def change(video_id: str) -> None:
            connection.begin()
            row = connection.execute("SELECT status FROM jobs WHERE id = $1", [video_id]).fetchone()
            connection.execute(
                "UPDATE jobs SET status = $2, worker = $3, epoch = epoch + 1 WHERE id = $1",
                [video_id, _other(row), WORKER],
            )
            connection.commit()

        measured = await _threaded(change, ids, writers)
        connection.close()
    return measured


async def _sqlite(writers: int) -> Measured:
    """SQLite with its own durability at the full, one thread, one commit for every change."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(
            Path(folder) / "peer.sqlite", isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        ids = _fill(connection, "TEXT")

        def change(video_id: str) -> None:
            connection.execute("BEGIN IMMEDIATE")
            row = connection.execute("SELECT status FROM jobs WHERE id = ?", [video_id]).fetchone()
            connection.execute(
                "UPDATE jobs SET status = ?, worker = ?, epoch = epoch + 1 WHERE id = ?",
                [_other(row), WORKER, video_id],
            )
            connection.execute("COMMIT")

        measured = await _threaded(change, ids, writers)
        connection.close()
    return measured


def _fill(connection: duckdb.DuckDBPyConnection | sqlite3.Connection, key: str) -> list[str]:
    connection.execute(
        f"CREATE TABLE jobs (id {key} PRIMARY KEY, status TEXT, worker TEXT, epoch INT,"
        " prompt TEXT)"
    )
    ids = [new_id() for _ in range(JOBS)]
    rows = [(video_id, "queued", None, 0, "A fox in the snow") for video_id in ids]
    connection.executemany("INSERT INTO jobs VALUES (?, ?, ?, ?, ?)", rows)
    return ids


def _other(row: tuple[str, ...] | None) -> str:
    return "submitting" if row and row[0] == "queued" else "queued"


async def _threaded(change: Callable[[str], None], ids: list[str], writers: int) -> Measured:
    """Changes made by one thread that owns the connection, asked for from the event loop."""
    loop = asyncio.get_running_loop()
    waiting: queue.SimpleQueue[tuple[str, asyncio.Future[None]] | None] = queue.SimpleQueue()

    def work() -> None:
        while (found := waiting.get()) is not None:
            video_id, future = found
            change(video_id)
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(future.set_result, None)

    thread = threading.Thread(target=work)
    thread.start()

    async def ask(video_id: str) -> None:
        future: asyncio.Future[None] = loop.create_future()
        waiting.put((video_id, future))
        await future

    measured = await _hammered(ask, ids, writers)
    waiting.put(None)
    thread.join()
    return measured
