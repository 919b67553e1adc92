"""What one of each thing costs, as it was measured: what capacity is computed from."""

from pathlib import Path

from attrs import fields, frozen
from cattrs import structure

from benchmarks.report import FILE, saved


@frozen(kw_only=True)
class Cost:
    """Milliseconds of CPU of each kind of process, transactions that change something, and bytes of
    the log that they are written to."""

    api_ms: float = 0
    web_ms: float = 0
    worker_ms: float = 0
    database_ms: float = 0
    changes: float = 0
    log_bytes: float = 0

    def divided(self, by: float) -> "Cost":
        return Cost(**{each.name: getattr(self, each.name) / by for each in fields(Cost)})


@frozen(kw_only=True)
class Figures:
    """`costs` of one text, picture, …; `hearing_ms`, CPU of a process for each event that another
    one tells; megabytes of a process; bytes of a row; `claims` of queued jobs a second; and
    reservations a second, `uncapped` and with a cap of the whole house (`capped`)."""

    measured_on: dict[str, str]
    costs: dict[str, Cost]
    hearing_ms: float
    memory_mb: dict[str, int]
    row_bytes: dict[str, int]
    claims: float
    uncapped: float
    capped: float

    @classmethod
    def read(cls, file: Path = FILE) -> "Figures":
        """Those of the benchmark `units`."""
        return structure(saved(file)["units"].values, cls)
