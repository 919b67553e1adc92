"""What a load asks for, computed from what one of each thing costs; and where that ends."""

from math import ceil
from typing import Any

from attrs import evolve, field, frozen

from benchmarks.figures import Figures

DAY, MONTH = 86_400, 30
MB, GB, TB = 1e6, 1e9, 1e12

#: Tables that keep a row for every text, picture or film.
GROWING = ("generated_texts", "generated_images", "generated_videos", "provider_jobs", "charges")

#: A job is queued, being submitted, processing, completed: each is told to all processes.
EVENTS = 4
#: Gigabytes of memory of `aigen up`, which does everything in one process.
UP_GB = 0.2
#: Connections of a process to the database: those of its pool, and the one that listens.
CONNECTIONS = 13


def _is(default: float, meaning: str, source: str = "a guess") -> Any:
    return field(default=default, converter=float, metadata={"meaning": meaning, "source": source})


@frozen(kw_only=True)
class Load:
    """What people do, and what it is done with."""

    people: float = _is(1_000_000, "people who have an account", "the question")
    active: float = _is(0.1, "share of them who are there on a day")
    texts: float = _is(10, "texts that each of these makes on that day")
    pictures: float = _is(2, "pictures")
    films: float = _is(1, "films")
    pages: float = _is(40, "pages of the frontend that each looks at")
    refreshes: float = _is(8, "renewals of tokens", "two hours; an access token lives 15 minutes")
    logins: float = _is(0.1, "logins", "a session lives 14 idle days")
    peak: float = _is(4, "the busiest minute, in times of the day's mean")
    film_seconds: float = _is(90, "seconds that the provider takes for a film")
    look_seconds: float = _is(5, "seconds between two looks at it", "the frontend")
    poll_seconds: float = _is(15, "seconds between two polls of it", "`AIGEN_POLL_INTERVAL`")
    call_seconds: float = _is(3, "seconds in which a worker hands over or fetches a film")
    calls: float = _is(64, "calls of a worker at a time", "`AIGEN_WORKER_CONCURRENCY`")
    busy: float = _is(0.5, "share of a processor's time that is used at the peak", "headroom")
    text_bytes: float = _is(2_000, "bytes that a text is longer than the simulator's", "500 tokens")
    picture_mb: float = _is(1.5, "megabytes of a picture", "1K, as users report it")
    film_mb: float = _is(6, "megabytes of a film", "8 s at 720p")
    text_usd: float = _is(0.001, "dollars for a text", "a small model")
    picture_usd: float = _is(0.04, "dollars for a picture")
    film_usd: float = _is(0.4, "dollars for a film", "8 s at $0.05")
    server_cores: float = _is(64, "cores of the largest database server that one would rent")
    server_changes: float = _is(20_000, "changes a second that its disks make durable")
    server_connections: float = _is(1_000, "connections that it serves well")
    table_gb: float = _is(200, "gigabytes of a table that is still easy to vacuum and index")


@frozen
class Demand:
    """What a load asks for: rates are a second, at the peak."""

    load: Load
    figures: Figures

    @property
    def active(self) -> float:
        return self.load.people * self.load.active

    def rate(self, of_a_day: float) -> float:
        """Of something that each person who is there does so often on a day."""
        return self.active * of_a_day / DAY * self.load.peak

    # --- what is asked for ------------------------------------------------------------------

    @property
    def films(self) -> float:
        return self.rate(self.load.films)

    @property
    def generations(self) -> float:
        return self.rate(self.load.texts + self.load.pictures + self.load.films)

    @property
    def in_flight(self) -> float:
        return self.films * self.load.film_seconds

    @property
    def polls(self) -> float:
        return self.in_flight / self.load.poll_seconds

    def rates(self) -> dict[str, float]:
        """How often a second each thing is done that costs something."""
        load = self.load
        return {
            "text": self.rate(load.texts),
            "picture": self.rate(load.pictures),
            "submission": self.films,
            "film": self.films,
            "poll": self.polls,
            "look": self.in_flight / load.look_seconds,
            "page": self.rate(load.pages),
            "refresh": self.rate(load.refreshes),
            "login": self.rate(load.logins),
        }

    # --- what it takes ----------------------------------------------------------------------

    def total(self, of: str) -> float:
        """The sum over all things of one part of their cost, a second."""
        costs = self.figures.costs
        return sum(rate * float(getattr(costs[name], of)) for name, rate in self.rates().items())

    @property
    def hearing(self) -> float:
        """Share of a core that each process needs to hear what the others tell."""
        return self.films * EVENTS * self.figures.hearing_ms / 1000

    @property
    def api_cores(self) -> float:
        return self.total("api_ms") / 1000

    @property
    def worker_cores(self) -> float:
        return self.total("worker_ms") / 1000

    @property
    def web_cores(self) -> float:
        return self.total("web_ms") / 1000

    @property
    def cores(self) -> float:
        return self.api_cores + self.worker_cores + self.web_cores

    @property
    def is_small(self) -> bool:
        """Whether one process does it all."""
        return self.cores < self.load.busy

    @property
    def apis(self) -> int:
        return self._processes(self.api_cores)

    @property
    def workers(self) -> int:
        return max(self._processes(self.worker_cores), ceil(self.worker_slots))

    @property
    def worker_slots(self) -> float:
        """Workers whose calls at a time are enough, however little each of them costs."""
        load = self.load
        return self.films * 2 * load.call_seconds / load.calls / load.busy

    @property
    def frontends(self) -> int:
        return max(2, ceil(self.web_cores / self.load.busy))

    def _processes(self, cores: float) -> int:
        """A process is one core at most, and part of it goes into hearing; one is none."""
        return max(2, ceil(cores / max(self.load.busy - self.hearing, 0.1)))

    @property
    def memory_gb(self) -> float:
        if self.is_small:
            return UP_GB
        sizes = self.figures.memory_mb
        numbers = {"API": self.apis, "worker": self.workers, "frontend": self.frontends}
        return sum(sizes[name] * number for name, number in numbers.items()) / 1000

    @property
    def connections(self) -> int:
        return (self.apis + self.workers) * CONNECTIONS

    @property
    def database_cores(self) -> float:
        return self.total("database_ms") / 1000

    @property
    def changes(self) -> float:
        return self.total("changes")

    @property
    def changes_a_day(self) -> float:
        return self.changes / self.load.peak * DAY

    # --- what stays -------------------------------------------------------------------------

    def table_bytes(self, table: str) -> float:
        """What a table grows by in a month."""
        load = self.load
        size = self.figures.row_bytes[table]
        rows = {
            "generated_texts": load.texts,
            "generated_images": load.pictures,
            "generated_videos": load.films,
            "provider_jobs": load.films,
            "charges": load.texts + load.pictures + load.films,
        }[table]
        longer = load.text_bytes if table == "generated_texts" else 0
        return self.active * rows * MONTH * (size + longer)

    @property
    def tables_bytes(self) -> float:
        return sum(map(self.table_bytes, GROWING))

    @property
    def files_bytes(self) -> float:
        load = self.load
        daily = load.pictures * load.picture_mb + load.films * load.film_mb
        return self.active * daily * MONTH * MB

    @property
    def usd_a_day(self) -> float:
        load = self.load
        each = load.texts * load.text_usd + load.pictures * load.picture_usd
        return self.active * (each + load.films * load.film_usd)


@frozen(kw_only=True)
class Wall:
    """What gives way, at how many people, and what is then to do."""

    what: str
    people: float
    then: str


def walls(load: Load, figures: Figures) -> list[Wall]:
    """Where one installation ends, the first wall first. What a load asks for grows with people."""
    one = Demand(evolve(load, people=1), figures)
    processes = one.api_cores / load.busy + max(one.worker_cores / load.busy, one.worker_slots)
    found = [
        Wall(
            what="one process (`aigen up`) for everything",
            people=load.busy / one.cores,
            then="PostgreSQL, and as many APIs, workers and frontends as it takes",
        ),
        Wall(
            what=f"`generated_texts` has {number(load.table_gb)} GB after a year",
            people=load.table_gb * GB / (one.table_bytes("generated_texts") * 12),
            then="a shorter life for texts, or partitions by month",
        ),
        Wall(
            what=f"`generated_videos` has {number(load.table_gb)} GB after a year",
            people=load.table_gb * GB / (one.table_bytes("generated_videos") * 12),
            then="the same for films: partitions by month are said below",
        ),
        Wall(
            what="a cap of the whole house: one row that every generation changes twice",
            people=figures.capped / 2 / one.generations,
            then="caps of users and keys alone, and a limit on the key at the provider; or several "
            "rows, each with its share of the cap",
        ),
        Wall(
            what=f"connections: {CONNECTIONS} for each API and worker, "
            f"{number(load.server_connections)} at the server",
            people=load.server_connections / CONNECTIONS / processes,
            then="fewer for each process, which is a constant today",
        ),
        Wall(
            what=f"processors of the database server: {number(load.server_cores)} cores",
            people=load.server_cores * load.busy / one.database_cores,
            then="looks and lists from a replica; then cells",
        ),
        Wall(
            what=f"changes: {number(load.server_changes)} a second",
            people=load.server_changes / one.changes,
            then="cells",
        ),
        Wall(
            what="claims, one after the other",
            people=figures.claims / one.films,
            then="cells",
        ),
        Wall(
            what="every process hears every event: a fifth of a core",
            people=0.2 / one.hearing,
            then="a channel for each range of jobs, or cells",
        ),
        Wall(
            what="200 million transactions a day, after each of which every table is frozen",
            people=2e8 / one.changes_a_day,
            then="a larger `autovacuum_freeze_max_age`; partitions, of which old ones stay frozen",
        ),
    ]
    return sorted(found, key=lambda wall: wall.people)


def number(value: float, digits: int = 2) -> str:
    """A number to so many digits, and as many as it has before the point up to a thousand."""
    if value == 0:
        return "0"
    if value >= 1000:
        magnitude = 10 ** max(0, len(str(int(value))) - digits)
        return f"{round(value / magnitude) * magnitude:,}"
    return f"{float(f'{value:.{digits}g}'):g}" if value < 100 else f"{value:.0f}"
