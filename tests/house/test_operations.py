"""What the pages for operators say, held against what aigen says and does."""

import re
import shlex
import subprocess
import sys
from functools import cache

import pytest
from attrs import evolve
from benchmarks import capacity
from benchmarks.demand import Demand, Load, walls
from benchmarks.figures import Figures

from aigen.entrypoints.api.metrics import Metrics
from aigen.entrypoints.cli import cli
from tests.house.markdown import ARC42, named, snippets, tables
from tests.house.sources import ROOT, SRC
from tests.house.test_readme import parse

OPERATIONS = ROOT / "docs" / "operations.md"
CAPACITY = ROOT / "docs" / "capacity.md"
FIGURES = Figures.read()

COMMANDS = [
    line
    for page in (OPERATIONS, ARC42 / "07-deployment.md")
    for snippet in snippets(page, "sh")
    for line in re.findall(r"^aigen [^(\n].*$", snippet.text, re.MULTILINE)
]


@cache
def sources() -> str:
    """All that aigen may say: its sources, with strings that go over several lines put together."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in sorted(SRC.rglob("*.py")))
    return re.sub(r'"\s*\n\s*f?"', "", text)


def is_said(sentence: str) -> bool:
    """Whether each part of it is in the sources; where they put something in, it has `…`, a
    number, an address."""
    parts = re.split(r"…|\d[\d.]*", sentence)
    return all(part.strip(" `.:") in sources() for part in parts if len(part.strip()) > 3)


# --- operations -----------------------------------------------------------------------------


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_that_is_to_be_typed_exists(line: str) -> None:
    _, *arguments = shlex.split(line, comments=True)
    parse(cli, arguments)


@pytest.mark.parametrize("head", ["reason at `/readyz`", "in the log", "it says"])
def test_what_is_explained_is_what_aigen_says(head: str) -> None:
    rows = tables(OPERATIONS)[head]
    said = [sentence for row in rows for sentence in named(row[0])]
    assert len(said) >= len(rows) - 1
    assert not [sentence for sentence in said if not is_said(sentence)]


def test_every_metric_is_listed() -> None:
    listed = {named(row[0])[0] for row in tables(OPERATIONS)["metric"]}
    measured = {metric.name for metric in Metrics().registry.collect()}
    ours = {name for name in measured if name.startswith("aigen_")}
    assert {name.removesuffix("_total") for name in listed} == ours | {"process_…"}


# --- capacity -------------------------------------------------------------------------------


def test_the_page_computes_a_load_of_ones_own() -> None:
    (line,) = (
        line
        for snippet in snippets(CAPACITY, "sh")
        for line in snippet.text.splitlines()
        if "benchmarks.capacity" in line
    )
    _, *arguments = shlex.split(line)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "gives way" in done.stdout
    wrong = [sys.executable, "-m", "benchmarks.capacity", "folks=3"]
    failed = subprocess.run(wrong, cwd=ROOT, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "known are: people, active" in failed.stderr


def test_everything_is_measured_that_is_done() -> None:
    demand = Demand(Load(), FIGURES)
    assert demand.rates().keys() == FIGURES.costs.keys()
    assert {name.strip("`") for name, _ in capacity.rows(FIGURES)} == FIGURES.row_bytes.keys()


def test_twice_the_people_need_twice_as_much() -> None:
    one, two = (Demand(Load(people=people), FIGURES) for people in (10**7, 2 * 10**7))
    for name in ("cores", "database_cores", "changes", "tables_bytes", "files_bytes", "usd_a_day"):
        assert getattr(two, name) == pytest.approx(2 * getattr(one, name)), name
    assert two.apis > one.apis
    assert two.connections > one.connections


def test_a_wall_stands_where_what_there_is_one_of_is_used_up() -> None:
    load = Load()
    found = walls(load, FIGURES)
    assert found == sorted(found, key=lambda wall: wall.people)
    (cap,) = (wall for wall in found if "cap of the whole house" in wall.what)
    there = Demand(evolve(load, people=cap.people), FIGURES)
    assert 2 * there.generations == pytest.approx(FIGURES.capped)
    (cores,) = (wall for wall in found if "processors" in wall.what)
    there = Demand(evolve(load, people=cores.people), FIGURES)
    assert there.database_cores == pytest.approx(load.server_cores * load.busy)
