"""The page of the benchmarks, from what was measured when they were last saved."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmarks.__main__ import NAMES
from benchmarks.report import ROOT, SUMMARY, Report

NOT_YET = "not measured yet"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def summary(reports: Mapping[str, Report]) -> str:
    """What there are bounds for, of all benchmarks."""

    def rows() -> Iterator[tuple[str, ...]]:
        for name in NAMES:
            link = f"[{name}](#{name})"
            if name not in reports:
                yield link, NOT_YET, *("" for _ in SUMMARY[1:])
                continue
            for *found, verdict in reports[name].summary():
                yield link, *found, verdict if verdict == "yes" else f"**{verdict}**"

    return table(("benchmark", *SUMMARY), rows())


def sections(reports: Mapping[str, Report]) -> str:
    """One for each benchmark: what it is, how it is run, and all that it found."""
    return "\n\n".join(
        "\n\n".join([f"## {name}", description(name), *_found(name, reports.get(name))])
        for name in NAMES
    )


def description(name: str) -> str:
    """What the module says of itself."""
    source = (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)) or ""


def _found(name: str, report: Report | None) -> Iterator[str]:
    if report is None:
        yield f"`./dev bench {name}`: {NOT_YET}."
        return
    on = dict(report.measured_on)
    date, cores = on.pop("date"), on.pop("cores")
    versions = ", ".join(f"{name} {version}" for name, version in on.items())
    yield f"`./dev bench {name}`, {date}, {cores} cores, {versions}"
    for each in report.tables:
        head, *rows = each.rows()
        yield f"**{each.heading}**"
        yield table(head, rows)
