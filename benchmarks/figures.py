"""What was measured, kept where the pages are written from it."""

import json
from pathlib import Path

from attrs import asdict, fields, frozen

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "capacity-figures.json"
INSTALLATION = ROOT / "docs" / "installation-figures.json"


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

    def write(self, file: Path = FILE) -> None:
        _write(self, file)

    @classmethod
    def read(cls, file: Path = FILE) -> "Figures":
        values = json.loads(file.read_text(encoding="utf-8"))
        costs = {name: Cost(**cost) for name, cost in values.pop("costs").items()}
        return cls(costs=costs, **values)


@frozen(kw_only=True)
class Installation:
    """Sizes in megabytes of 10⁶ bytes. `up_seconds` and `up_mb` are of `aigen up` when it is ready,
    with API, worker and frontend, on a data dir that is there already."""

    wheel_mb: float
    installed_mb: float
    packages: int
    help_seconds: float
    import_seconds: float
    up_seconds: float
    up_mb: float

    def write(self, file: Path = INSTALLATION) -> None:
        _write(self, file)

    @classmethod
    def read(cls, file: Path = INSTALLATION) -> "Installation":
        return cls(**json.loads(file.read_text(encoding="utf-8")))


def _write(found: Figures | Installation, file: Path) -> None:
    """To three digits: the fourth is never the same twice."""
    values = asdict(
        found,
        value_serializer=lambda _, __, value: (
            float(f"{value:.3g}") if isinstance(value, float) else value
        ),
    )
    file.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
