"""Writes what the code knows best into the documentation and .env.example: `./dev docs`."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from benchmarks import capacity
from benchmarks.figures import Figures
from benchmarks.report import saved

from aigen.domain.model import errors
from aigen.domain.model.errors import AigenError
from aigen.domain.model.media import MediaRejected
from aigen.entrypoints.api.errors import STATUS, problem_of, problem_of_status
from aigen.entrypoints.settings import GENERATED, Settings, variable_of
from aigen.ports.jobs import LeaseLost
from docs import measured, module_map
from docs.measured import table

ROOT = Path(__file__).resolve().parents[1]
ARC42 = ROOT / "docs" / "arc42"
BENCHMARKS = ROOT / "docs" / "benchmarks.md"
CAPACITY = ROOT / "docs" / "capacity.md"

#: What the framework refuses by itself, before any service is asked.
FRAMEWORK_STATUSES = (404, 405, 413, 415, 416, 422, 500)

_HEAD = """\
# Settings of aigen, as `./dev docs` writes them: all of them, with their defaults.
# Copy this file to .env and take the `#` off the lines that you change. Durations are seconds;
# sizes are bytes, or carry KiB, MiB or GiB; lists are comma-separated.
"""

_SIZES = ((2**30, "GiB"), (2**20, "MiB"))


def files() -> dict[Path, str]:
    """Every file with a generated part, as it should be."""
    return {
        ROOT / ".env.example": example(),
        ROOT / "README.md": _filled(ROOT / "README.md", figures=readme_figures()),
        ARC42 / "05-building-blocks.md": _filled(
            ARC42 / "05-building-blocks.md",
            packages=module_map.packages(),
            services=module_map.services(),
        ),
        ARC42 / "07-deployment.md": _filled(ARC42 / "07-deployment.md", settings=settings_table()),
        ARC42 / "08-concepts.md": _filled(
            ARC42 / "08-concepts.md", errors=errors_table(), refusals=refusals_table()
        ),
        BENCHMARKS: _filled(
            BENCHMARKS, summary=measured.summary(saved()), benchmarks=measured.sections(saved())
        ),
        CAPACITY: _filled(CAPACITY, **capacity_tables()),
    }


def _filled(page: Path, **parts: str) -> str:
    """The page, with each part between its two marks."""
    text = page.read_text(encoding="utf-8")
    for name, part in parts.items():
        start, end = f"<!-- generated: {name} -->\n", f"<!-- end of {name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise SystemExit(f"{page}: needs the two marks of `{name}`, once each")
        before, _, rest = text.partition(start)
        text = f"{before}{start}\n{part}\n\n{end}{rest.partition(end)[2]}"
    return text


# --- settings -------------------------------------------------------------------------------


def settings_table() -> str:
    rows = (
        (f"`{variable_of(name)}`", _shown_default(name), _meaning(name))
        for name in Settings.model_fields
    )
    return table(("variable", "default", "meaning"), rows)


def example() -> str:
    """A file of settings in which every line is a comment and every value the default."""
    lines = [_HEAD]
    for name, field in Settings.model_fields.items():
        lines.append(f"# {_meaning(name)}")
        lines.append(f"#{variable_of(name)}={_written(field.default)}\n")
    return "\n".join(lines)


def _shown_default(name: str) -> str:
    if name in GENERATED:
        return "generated"
    written = _written(Settings.model_fields[name].default)
    return f"`{written}`" if written else "–"  # noqa: RUF001


def _meaning(name: str) -> str:
    """What a setting means; where only a few values are possible, with these."""
    field = Settings.model_fields[name]
    if get_origin(field.annotation) is not Literal:
        return str(field.description)
    return f"{field.description} ({', '.join(get_args(field.annotation))})"


def _written(value: Any) -> str:
    """A default as it is written in a file of settings."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.12g}"
    if isinstance(value, int):
        fitting = (f"{value // size} {unit}" for size, unit in _SIZES if value and not value % size)
        return next(fitting, str(value))
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value)


# --- errors ---------------------------------------------------------------------------------


def leaves(kind: type[AigenError] = AigenError) -> Iterator[type[AigenError]]:
    """The errors that the API can answer with: what no other error derives from."""
    for child in kind.__subclasses__():
        if child.__module__ not in {
            errors.__name__,
            LeaseLost.__module__,
            MediaRejected.__module__,
        }:
            continue
        yield from [*leaves(child)] or [child]


def errors_table() -> str:
    def row(leaf: type[AigenError]) -> tuple[str, ...]:
        problem = problem_of(leaf())
        kind = next(kind for kind in leaf.__mro__ if kind in STATUS)
        named = (f"`{leaf.__name__}`", f"`{kind.__name__}`")
        return str(int(problem.status)), f"`{problem.code}`", *named, problem.detail

    rows = sorted({row(leaf) for leaf in leaves()})
    return table(("status", "code", "error", "kind", "`detail`, unless more is known"), iter(rows))


def refusals_table() -> str:
    problems = map(problem_of_status, FRAMEWORK_STATUSES)
    rows = ((str(problem.status), f"`{problem.code}`", problem.detail) for problem in problems)
    return table(("status", "code", "`detail`"), rows)


# --- figures of the README ------------------------------------------------------------------


def readme_figures() -> str:
    """What a stranger asks first, as it was measured."""
    installed, figures = saved()["install"].result, Figures.read()
    ours = {name: cost.api_ms + cost.worker_ms for name, cost in figures.costs.items()}
    on = figures.measured_on
    rows = (
        (installed("all that is installed").figure, "all that is installed"),
        (
            installed("aigen up is ready").figure,
            "until `aigen up` is ready: API, worker, frontend and database in one process",
        ),
        (
            f"{installed('aigen --help').figure}, {installed('import aigen').figure}",
            "`aigen --help`, `import aigen`",
        ),
        (f"{ours['text']:.1f} ms", "of CPU for a text, beside PostgreSQL's own"),
        (
            f"{ours['submission'] + ours['film']:.0f} ms",
            "of CPU for a video, from the request to the stored film",
        ),
        (f"{figures.claims:,.0f}", "jobs a second that four workers claim from one PostgreSQL"),
    )
    where = f"{on['cores']} cores, Python {on['Python']}, PostgreSQL {on['PostgreSQL']}"
    return (
        table((f"measured on {where}", "by `./dev bench`"), iter(rows))
        + "\n\nWhat that comes to for ten thousand people and for a million is in"
        " [capacity](docs/capacity.md); all that is measured, beside what else there is, in"
        " [benchmarks](docs/benchmarks.md)."
    )


# --- capacity -------------------------------------------------------------------------------


def capacity_tables() -> dict[str, str]:
    figures = Figures.read()
    people = (f"{size:,} people" for size in capacity.SIZES)
    parts = ("API ms", "frontend ms", "worker ms", "database ms", "changes", "log bytes")
    return {
        "sizes": table(("", *people), capacity.sizes(figures)),
        "walls": table(("what gives way", "at people", "then"), capacity.ends(figures)),
        "machine": capacity.machine(figures),
        "costs": table(("one", *parts), capacity.costs(figures)),
        "rows": table(("a row of", "bytes"), capacity.rows(figures)),
        "assumptions": table(("assumption", "value", "meaning", "source"), capacity.assumptions()),
    }


def main() -> None:
    for file, text in files().items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"wrote {file.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
