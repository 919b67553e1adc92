"""A move to PostgreSQL is killed again and again; the same command goes on, and at no moment are
both houses open."""

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

from aigen.adapters.sql.tables import TABLES
from tests.e2e.processes import environment
from tests.postgres.old_house import files_in, furnish, new_values_at, settings_of, storable

_DYING = """
import asyncio, os, random, signal, sys
from functools import partial
from itertools import count

from aigen.adapters.duckdb import departure
from aigen.adapters.duckdb.departure import Departure, departure_from
from aigen.adapters.media.disk import DiskMedia
from aigen.adapters.postgres.arrival import Arrival, arrival_at
from aigen.adapters.postgres.database import Database
from aigen.adapters.sql.moves import Door
from aigen.entrypoints.moving import Mover, settings_there
from aigen.entrypoints.settings import Settings

folder, url, media, *plan = sys.argv[1:]
here = Settings(data_dir=folder)
there = settings_there(here, url, f"file://{media}")
left = 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

# --- after what lasts -------------------------------------------------------------------------

def die_after(owner, name, times):
    function, done = getattr(owner, name), count(1)
    def wrapped(*arguments):
        result = function(*arguments)
        if next(done) == times:
            die()
        return result
    setattr(owner, name, wrapped)

MOMENTS = [
    (Door, "close", 1), (Door, "close", 1), *((Arrival, "take", times) for times in range(1, 9)),
    (Door, "note_arrival", 1), (Door, "open", 1),
]

# --- before any step --------------------------------------------------------------------------

def step():
    global left
    if left == 0:
        die()
    left -= 1

class Mortal:
    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        step()
        return getattr(self._connection, name)

    def __enter__(self):
        self._connection.__enter__()
        return self

    def __exit__(self, *error):
        return self._connection.__exit__(*error)

def stepping(function):
    def wrapped(*arguments):
        step()
        return function(*arguments)
    return wrapped

def with_steps(function):
    def rows(*arguments):
        for row in function(*arguments):
            step()
            yield row
    return rows

def live_for(steps):
    global left
    left = steps
    connect_file, connect_server = departure.connect, Database.connect
    departure.connect = lambda file: Mortal(connect_file(file))
    Database.connect = lambda self: Mortal(connect_server(self))
    Departure.rows = with_steps(Departure.rows)
    for name in ("put", "digest", "_settle"):
        setattr(DiskMedia, name, stepping(getattr(DiskMedia, name)))

def fates():
    if plan[0] == "moments":
        yield from (partial(die_after, *moment) for moment in MOMENTS)
        yield lambda: None
    else:
        chance, stride = random.Random(int(plan[0])), int(plan[1])
        yield from (partial(live_for, n * stride + chance.randrange(stride)) for n in count())

# ----------------------------------------------------------------------------------------------

def run(fate):
    fate()
    found = asyncio.run(Mover(here, there, lambda *_: None, batch=2).move())
    assert found.is_same, found

def look():
    with departure_from(here.database_file) as old, arrival_at(Database(url), url) as new:
        users = new._ask("SELECT 1 FROM information_schema.tables WHERE table_name = 'users'")
        is_filled = bool(users and new._ask("SELECT 1 FROM users"))
        leaving = old.door.move()
        is_new_open = is_filled and new.door.move() is None
        assert leaving is not None or not is_filled, "copied from a house at work"
        assert not is_new_open or leaving.has_arrived, "the old house does not know"
        print("new" if is_new_open else "old" if leaving is None else "none", flush=True)

def child(work, *arguments):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work(*arguments)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

for fate in fates():
    code = child(run, fate)
    assert child(look) == 0
    if code == 0:
        break
    assert code == -signal.SIGKILL, code
"""


def test_a_move_that_is_killed_after_whatever_lasts_goes_on(
    tmp_path: Path, database_url: str
) -> None:
    doors = moved_by_the_dying(tmp_path, database_url, "moments")
    assert Counter(doors) == {"none": 11, "new": 2}


def test_a_move_that_is_killed_at_any_step_goes_on(
    tmp_path: Path, database_url: str, seed: int
) -> None:
    doors = moved_by_the_dying(tmp_path, database_url, str(seed), "10")
    assert len(doors) > 10, "it was killed often"


def moved_by_the_dying(folder: Path, url: str, *plan: str) -> list[str]:
    """Move, and be killed as planned, until it is done; which door was open after each run."""
    before = asyncio.run(furnish(folder / "old"))
    dying = [sys.executable, "-c", _DYING, str(folder / "old"), url, str(folder / "new"), *plan]
    done = subprocess.run(
        dying, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    doors = done.stdout.split()
    assert doors == sorted(doors, key=["old", "none", "new"].index), "no door opens again"
    after = asyncio.run(new_values_at(url))
    assert after == {name: [*map(storable, before[name])] for name in TABLES}
    assert files_in(folder / "new") == files_in(settings_of(folder / "old").media_dir)
    return doors
