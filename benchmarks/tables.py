"""Results as a table with ratios."""

from collections.abc import Sequence

from attrs import frozen


@frozen(kw_only=True)
class Result:
    """One line: what was measured, its figures, and the bound that it has to keep, in words."""

    name: str
    figures: dict[str, str]
    bound: str = ""


def show(title: str, results: Sequence[Result]) -> None:
    columns = list(dict.fromkeys(name for result in results for name in result.figures))
    rows = [["", *columns, "bound"]]
    rows += [
        [result.name, *(result.figures.get(column, "") for column in columns), result.bound]
        for result in results
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    print(f"\n{title}")
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip())
