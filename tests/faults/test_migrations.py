"""A migration is killed before each of its steps; the next `aigen db migrate` completes it."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from aigen.adapters.duckdb.migrations import known
from aigen.adapters.duckdb.store import DuckdbStore
from tests.e2e.processes import AIGEN, environment

#: Of the register, of each migration (begin, its SQL, the entry, commit), and the checkpoint.
STEPS = 2 + 4 * len(known()) + 1

_DYING = """
import os, signal, sys
from pathlib import Path
from aigen.adapters.duckdb.engine import connect
from aigen.adapters.duckdb.migrations import migrate

class Dying:
    def __init__(self, connection, steps):
        self.connection, self.steps = connection, steps

    def __getattr__(self, name):
        if self.steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.steps -= 1
        return getattr(self.connection, name)

folder, most = Path(sys.argv[1]), int(sys.argv[2])
for steps in range(most):
    child = os.fork()
    if child == 0:
        migrate(Dying(connect(folder / str(steps) / "aigen.duckdb"), steps))
        os._exit(0)
    print(-os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_migration_that_is_killed_half_way_is_completed_by_the_next(tmp_path: Path) -> None:
    dying = run(sys.executable, "-c", _DYING, str(tmp_path), str(STEPS))
    assert dying.split() == [str(signal.SIGKILL.value)] * STEPS, "each was killed"
    said = run(AIGEN, "db", "migrate", AIGEN_DATA_DIR=str(tmp_path / str(STEPS // 2)))
    assert "applied" in said
    for steps in range(STEPS):
        assert asyncio.run(applied(tmp_path / str(steps))) == [step.number for step in known()]


def run(*command: str, **settings: str) -> str:
    done = subprocess.run(
        command,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def applied(data: Path) -> list[int]:
    """Which migrations the database has, once it was opened."""
    store = DuckdbStore(data / "aigen.duckdb")
    await store.open()
    rows = store._ask_now("SELECT number FROM migrations ORDER BY number")
    await store.close()
    return [number for (number,) in rows]
