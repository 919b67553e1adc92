"""What some work has cost: CPU of our processes and of PostgreSQL's, its changes and its log."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
from attrs import define, field

from benchmarks.figures import Cost
from benchmarks.processes import Process

#: How many transactions have changed something, and how long the log is.
_NUMBERS = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text, pg_current_wal_lsn() - '0/0'"

_TICKS = os.sysconf("SC_CLK_TCK")


@define
class Metered:
    """`cost` is known when the work is done."""

    cost: Cost = field(factory=Cost)


class Meter:
    """Reads what `processes` (by kind) and the server in a folder have used so far."""

    def __init__(self, url: str, folder: Path, processes: Mapping[str, Process]) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._server = int((folder / "postmaster.pid").read_text().split()[0])
        self._processes = processes

    @asynccontextmanager
    async def of(self, count: int) -> AsyncIterator[Metered]:
        """Meter what the block does; what came of it is for one of so many."""
        metered = Metered()
        before = self._read()
        yield metered
        after = self._read()
        metered.cost = Cost(**{name: (after[name] - before[name]) / count for name in after})

    def rows(self, of: str) -> int:
        """How many rows there are: of a table, and a condition if there is one."""
        ((count,),) = self._connection.execute(f"SELECT count(*) FROM {of}".encode()).fetchall()
        return int(count)

    def _read(self) -> dict[str, float]:
        ((changes, log),) = self._connection.execute(_NUMBERS).fetchall()
        used = {f"{kind}_ms": each.cpu_seconds() * 1000 for kind, each in self._processes.items()}
        return used | {
            "database_ms": self._server_seconds() * 1000,
            "changes": int(changes),
            "log_bytes": int(log),
        }

    def _server_seconds(self) -> float:
        """User and system time of the server's processes, those included that have ended."""
        ticks = 0
        for folder in Path("/proc").iterdir():
            try:
                text = (folder / "stat").read_text()
            except OSError:
                continue  # no process, or none any more
            if not folder.name.isdecimal():
                continue
            used = text.rpartition(")")[2].split()
            if int(folder.name) == self._server:
                ticks += sum(map(int, used[11:15]))
            elif int(used[1]) == self._server:
                ticks += int(used[11]) + int(used[12])
        return ticks / _TICKS
