"""The benchmarks: what they find as tables, in the file that keeps it, and on their page."""

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import pace
from benchmarks.__main__ import NAMES, NOT_QUICK
from benchmarks.figures import Figures
from benchmarks.report import FILE, SUMMARY, Report, save, saved
from benchmarks.tables import TIMES, Bound, Result, Table, aligned
from docs import measured

from tests.house.markdown import ARC42, named, tables
from tests.house.sources import ROOT

MACHINE = {"date": "2026-01-02", "cores": "2", "Python": "3.11.7"}


def a_result(**fields: object) -> Result:
    figures = {"ms": "1.20", f"{TIMES}bare": "1.4", "a second": "900", f"{TIMES}proxy": "11"}
    return Result(**{"name": "aigen", "figures": figures} | fields)  # type: ignore[arg-type]


def a_report(*results: Result) -> Report:
    return Report([Table("A text", list(results), "twice")], MACHINE)


# --- bounds and results ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "held", "missed"),
    [
        ("≤ 1.0 ms", (0.2, 1.0), (1.0001,)),
        ("< 3 ms", (2.9,), (3.0, 4.0)),
        ("≥ 12,000 a second", (12_000, 1e6), (11_999, 12)),
    ],
)
def test_a_bound_holds_up_to_its_number(
    words: str, held: tuple[float, ...], missed: tuple[float, ...]
) -> None:
    assert all(Bound(words, figure).holds for figure in held)
    assert not any(Bound(words, figure).holds for figure in missed)


def test_a_result_says_which_of_its_bounds_are_missed() -> None:
    kept, missed = Bound("≤ 1.0 ms", 0.9), Bound("≥ 10 times", 9.0)
    assert a_result().verdict == ""
    assert a_result(bounds=(kept,)).verdict == "yes"
    assert a_result(bounds=(kept, missed)).verdict == "not ≥ 10 times"
    assert a_result(bounds=(missed,)).verdict == "no"
    assert a_result(bounds=(kept, missed)).bound == "≤ 1.0 ms, ≥ 10 times"


def test_the_summary_has_what_there_are_bounds_for_beside_what_it_has_ratios_to() -> None:
    bounds = (Bound("≤ 1.0 ms", 1.2), Bound("≥ 10 times", 11))
    report = a_report(a_result(name="bare"), a_result(bounds=bounds))
    (row,) = report.summary()
    assert dict(zip(SUMMARY, row, strict=True)) == {
        "what": "A text",
        "figure": "1.20 ms",
        "beside": "bare, proxy",
        "ratio": "1.4, 11",
        "bound": "≤ 1.0 ms, ≥ 10 times",
        "holds": "not ≤ 1.0 ms",
    }
    ((what, *_),) = a_report(a_result(name="a page", bounds=bounds)).summary()
    assert what == "A text: a page"


def test_a_table_has_the_columns_of_all_its_results() -> None:
    some, others = Result(name="a", figures={"ms": "1"}), Result(name="bc", figures={"MB": "20"})
    assert Table("Both", [some, others]).rows() == [
        ["", "ms", "MB"],
        ["a", "1", ""],
        ["bc", "", "20"],
    ]
    assert aligned(Table("Both", [some, others]).rows()).splitlines()[1:] == [
        "a    1",
        "bc      20",
    ]


# --- the file -------------------------------------------------------------------------------


def test_what_did_not_run_this_time_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    assert saved(file) == {}
    before = a_report(a_result(bounds=(Bound("≤ 1.0 ms", 0.25),)))
    save({"text": before, "web": before}, file)
    after = Report([Table("Pages", [])], MACHINE | {"date": "2026-01-03"}, {"claims": 8.5})
    save({"web": after}, file)
    assert saved(file) == {"text": before, "web": after}


def test_the_machine_is_described_and_not_named() -> None:
    known = {"date", "cores", "Python", "DuckDB", "FastAPI", "PostgreSQL", "LiteLLM"}
    for name, report in saved().items():
        assert report.measured_on.keys() >= {"date", "cores", "Python"}, name
        assert report.measured_on.keys() <= known, name


def test_what_capacity_is_computed_from_is_kept_with_the_rest() -> None:
    assert {*saved()} <= {*NAMES}
    assert Figures.read(FILE).claims == saved()["units"].values["claims"]


# --- the page -------------------------------------------------------------------------------


def test_what_was_never_measured_says_so() -> None:
    rows = measured.summary({}).splitlines()[2:]
    assert [row.split(" | ")[:2] for row in rows] == [
        [f"| [{name}](#{name})", measured.NOT_YET] for name in NAMES
    ]
    assert measured.sections({}).count(measured.NOT_YET) == len(NAMES)


def test_a_missed_bound_is_not_hidden() -> None:
    reports = {"text": a_report(a_result(bounds=(Bound("≤ 1.0 ms", 1.2),)))}
    row = next(row for row in measured.summary(reports).splitlines() if "A text" in row)
    assert row.endswith("| ≤ 1.0 ms | **no** |")
    section = measured.sections(reports).partition("## openai")[0]
    assert "2026-01-02, 2 cores, Python 3.11.7" in section
    assert "| aigen | 1.20 | 1.4 | 900 | 11 | ≤ 1.0 ms | no |" in section


def test_every_benchmark_says_what_it_measures() -> None:
    assert all(measured.description(name).endswith((".", ":")) for name in NAMES)


def test_what_is_saved_was_held_against_the_bounds_of_today() -> None:
    reports = saved()
    for measure, bound, by in tables(ARC42 / "10-quality.md")["measure"]:
        name = named(by)[0].removeprefix("./dev bench ")
        if name in reports:
            found = {b.words for t in reports[name].tables for r in t.results for b in r.bounds}
            assert {*bound.split(", ")} <= found, (measure, "run ./dev bench --save", name)


# --- the command ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "no benchmark is called nothing; there are text"),
        (("--fast",), "no benchmark is called --fast"),
        (("--save", "--quick", "text"), "what --quick finds is not saved"),
    ],
)
def test_what_cannot_be_run_is_refused(arguments: tuple[str, ...], said: str) -> None:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_quick_run_takes_the_smaller_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pace.paced(6000, 300) == 6000
    monkeypatch.setattr(pace, "QUICK", True)
    assert pace.paced(6000, 300) == 300
    assert {*NOT_QUICK} < {*NAMES}
