"""Results as tables with ratios and bounds."""

import operator
from collections.abc import Sequence

from attrs import frozen

#: How a column is called that has ratios: this, and beside what.
TIMES = "× "

_SIGNS = {"≤": operator.le, "<": operator.lt, "≥": operator.ge}


@frozen
class Bound:
    """What has to hold, as a sign, a number and what it is a number of; and the figure."""

    words: str
    figure: float

    @property
    def holds(self) -> bool:
        sign, limit, *_ = self.words.split()
        return bool(_SIGNS[sign](self.figure, float(limit.replace(",", ""))))


@frozen(kw_only=True)
class Result:
    """One line: what was measured, its figures by columns, the foremost one first, and the bounds
    that it has to keep."""

    name: str
    figures: dict[str, str]
    bounds: tuple[Bound, ...] = ()

    @property
    def figure(self) -> str:
        """The foremost one."""
        column, value = next(iter(self.figures.items()))
        return f"{value} {column}".strip()

    @property
    def beside(self) -> list[str]:
        """What it has ratios to."""
        return [name.removeprefix(TIMES) for name in self.figures if name.startswith(TIMES)]

    @property
    def ratios(self) -> list[str]:
        return [value for name, value in self.figures.items() if name.startswith(TIMES)]

    @property
    def bound(self) -> str:
        return ", ".join(bound.words for bound in self.bounds)

    @property
    def verdict(self) -> str:
        """Whether its bounds hold, if it has any."""
        missed = [bound.words for bound in self.bounds if not bound.holds]
        if missed:
            return "no" if len(missed) == len(self.bounds) else f"not {', '.join(missed)}"
        return "yes" if self.bounds else ""


@frozen
class Table:
    """`how` it was measured: how many, how often."""

    title: str
    results: list[Result]
    how: str = ""

    @property
    def heading(self) -> str:
        return f"{self.title}, {self.how}" if self.how else self.title

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(name for result in self.results for name in result.figures))

    def rows(self) -> list[list[str]]:
        """Its head, and a row for each result."""
        columns = self.columns
        has_bounds = any(result.bounds for result in self.results)
        end = ["bound", "holds"] if has_bounds else []
        return [
            ["", *columns, *end],
            *(
                [
                    result.name,
                    *(result.figures.get(column, "") for column in columns),
                    *([result.bound, result.verdict] if has_bounds else []),
                ]
                for result in self.results
            ),
        ]


def show(title: str, results: Sequence[Result], how: str = "") -> Table:
    """Print what was found, and hand it on."""
    table = Table(title, list(results), how)
    print(f"\n{table.heading}")
    print(aligned(table.rows()))
    return table


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text in columns: the first to the left, figures to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
