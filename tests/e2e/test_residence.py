"""What a process that is ready keeps in memory."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from aigen.entrypoints.residence import move_out, settle_in

#: Starts as a server does, and says how much code lies in memory: before, after, and after use.
STARTED = """
import duckdb
from aigen.entrypoints.residence import move_out, settle_in

def code():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssFile"))

connection = duckdb.connect()
question = "SELECT count(*), sum(n) FROM range(1000) AS numbers(n) WHERE n % 7 = 3"
answer = connection.execute(question).fetchall()
before = code()
settle_in()
after = code()
assert connection.execute(question).fetchall() == answer
used = code()
move_out()
connection.close()
print(before, after, used)
"""


@pytest.fixture
def _collector() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.mark.skipif(sys.platform != "linux", reason="others keep their code where it is")
def test_code_that_only_the_start_has_needed_is_let_go() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", STARTED], capture_output=True, text=True, check=True
    )
    before, after, used = map(int, printed.stdout.split())
    assert after < before / 2
    assert after < used < before


@pytest.mark.usefixtures("_collector")
def test_what_is_loaded_is_not_looked_at_again_until_the_end() -> None:
    settle_in()
    assert gc.get_freeze_count() > 10_000
    move_out()
    assert gc.get_freeze_count() == 0
