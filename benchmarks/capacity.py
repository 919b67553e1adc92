"""What carries so many people: the tables of docs/capacity.md.

`python -m benchmarks.capacity people=50000 films=0.2` prints them for a load of your own; the words
before `=` are the names of the assumptions.
"""

import sys
from collections.abc import Iterator
from textwrap import fill

from attrs import evolve, fields

from benchmarks.demand import GB, MB, TB, Demand, Load, number, walls
from benchmarks.figures import Cost, Figures

Rows = Iterator[tuple[str, ...]]

#: Less than this is noise.
_LEAST = 0.05

SIZES = (10_000, 1_000_000, 100_000_000)

_PARTS = {
    "text": "a text",
    "picture": "a picture",
    "submission": "a film: taken into the queue",
    "film": "a film: handed over, polled once, fetched and stored",
    "poll": "each further poll",
    "look": "a look at its status",
    "page": "a page (the dashboard, with what it asks of the API)",
    "refresh": "a renewal of tokens",
    "login": "a login (almost all of it bcrypt)",
}


def assumptions() -> Rows:
    for each in fields(Load):
        value = number(float(each.default or 0))
        yield f"`{each.name}`", value, each.metadata["meaning"], each.metadata["source"]


def costs(figures: Figures) -> Rows:
    def shown(value: float) -> str:
        return number(value) if value >= _LEAST else ""

    for name, meaning in _PARTS.items():
        cost: Cost = figures.costs[name]
        ours = cost.api_ms, cost.web_ms, cost.worker_ms
        yield meaning, *map(shown, (*ours, cost.database_ms, cost.changes, cost.log_bytes))


def machine(figures: Figures) -> str:
    on = figures.measured_on
    memory = ", ".join(f"{size} MB for {name}" for name, size in figures.memory_mb.items())
    sentences = (
        f"Measured on {on['cores']} cores, all on one machine, with Python {on['Python']}.",
        f"The database was PostgreSQL {on['PostgreSQL']}.",
        f"Memory after it: {memory}.",
        f"To hear an event of another process takes {number(figures.hearing_ms * 1000)} µs.",
        f"Four workers claim {number(figures.claims)} jobs a second.",
        f"{number(figures.uncapped)} reservations pass in a second.",
        f"Under a cap of the whole house it is {number(figures.capped)}.",
    )
    return fill(" ".join(sentences), width=100)


def rows(figures: Figures) -> Rows:
    for table, size in figures.row_bytes.items():
        yield f"`{table}`", number(size)


def sizes(figures: Figures, people: tuple[float, ...] = SIZES, load: Load | None = None) -> Rows:
    """What carries so many people, a column for each number of them."""
    demands = [Demand(evolve(load or Load(), people=each), figures) for each in people]
    first = walls(load or Load(), figures)

    def line(name: str, *values: float) -> tuple[str, ...]:
        return name, *map(number, values)

    yield line("there on a day", *(d.active for d in demands))
    for name in ("text", "picture", "film"):
        yield line(f"{name}s a second", *(d.rates()[name] for d in demands))
    yield line("films in flight", *(d.in_flight for d in demands))
    yield line("polls a second", *(d.polls for d in demands))
    yield line("pages a second", *(d.rates()["page"] for d in demands))
    yield ("**processes**", *(_shape(d) for d in demands))
    yield line("their processors, cores", *(d.cores for d in demands))
    yield line("their memory, GB", *(d.memory_gb for d in demands))
    yield line("database: processors, cores", *(d.database_cores for d in demands))
    yield line("database: changes a second", *(d.changes for d in demands))
    yield line("database: its log, MB a second", *(d.total("log_bytes") / MB for d in demands))
    yield (
        "database: connections",
        *("one file" if d.is_small else number(d.connections) for d in demands),
    )
    yield line("tables, GB a month", *(d.tables_bytes / GB for d in demands))
    yield line(
        "of these `generated_videos`, GB a month",
        *(d.table_bytes("generated_videos") / GB for d in demands),
    )
    yield line("files, TB a month", *(d.files_bytes / TB for d in demands))
    yield line("calls to the provider a second", *(d.generations + d.polls for d in demands))
    yield line("**the provider's bill, USD a day**", *(d.usd_a_day for d in demands))
    yield (
        "walls that are passed",
        *(number(sum(wall.people < d.load.people for wall in first)) for d in demands),
    )


def _shape(demand: Demand) -> str:
    if demand.is_small:
        return "1 (`aigen up`)"
    numbers = {"API": demand.apis, "worker": demand.workers, "web": demand.frontends}
    return ", ".join(f"{number(count)} {name}" for name, count in numbers.items())


def ends(figures: Figures, load: Load | None = None) -> Rows:
    for wall in walls(load or Load(), figures):
        yield wall.what, number(wall.people, digits=1), wall.then


def main() -> None:
    """Print what carries a load of one's own."""
    try:
        given = {name: float(value) for name, _, value in (a.partition("=") for a in sys.argv[1:])}
        load = Load(**given)
    except (ValueError, TypeError) as error:
        sys.exit(f"{error}; known are: {', '.join(each.name for each in fields(Load))}")
    figures = Figures.read()
    for row in sizes(figures, (load.people,), load):
        print(f"{row[0].replace('*', ''):<42} {row[1]:>24}")
    print("\nWhat gives way, and at how many people:")
    for what, people, _ in ends(figures, load):
        print(f"{people:>16}  {what}")


if __name__ == "__main__":
    main()
