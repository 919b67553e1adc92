"""What was measured, kept in one file from which the pages are written."""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from attrs import field, frozen
from cattrs import structure, unstructure

from benchmarks.tables import Result, Table

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "benchmark-figures.json"

#: The head of the summary.
SUMMARY = ("what", "figure", "beside", "ratio", "bound", "holds")


def machine(**versions: str) -> dict[str, str]:
    """What it was measured on, and when; with the versions of what runs beside aigen."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": str(os.cpu_count()),
        "Python": platform.python_version(),
        "DuckDB": version("duckdb"),
        "FastAPI": version("fastapi"),
    } | versions


@frozen
class Report:
    """What a benchmark has found; `values` are those that other things are computed from."""

    tables: list[Table]
    measured_on: dict[str, str] = field(factory=machine)
    values: dict[str, Any] = field(factory=dict)

    def result(self, name: str) -> Result:
        """The one of this name."""
        return next(found for table in self.tables for found in table.results if found.name == name)

    def summary(self) -> Iterator[tuple[str, ...]]:
        """What there are bounds for, in the columns of SUMMARY."""
        for table in self.tables:
            for found in table.results:
                if found.bounds:
                    yield (
                        table.title if found.name == "aigen" else f"{table.title}: {found.name}",
                        found.figure,
                        ", ".join(found.beside),
                        ", ".join(found.ratios),
                        found.bound,
                        found.verdict,
                    )


def saved(file: Path = FILE) -> dict[str, Report]:
    """What each benchmark found when it was last saved."""
    if not file.exists():
        return {}
    return structure(json.loads(file.read_text(encoding="utf-8")), dict[str, Report])


def save(found: Mapping[str, Report], file: Path = FILE) -> None:
    """Keep this, and what the others found before."""
    reports = saved(file) | dict(found)
    text = json.dumps(_rounded(unstructure(reports)), indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    """To six digits: the rest is noise."""
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
