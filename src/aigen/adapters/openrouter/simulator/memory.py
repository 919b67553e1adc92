"""Video jobs that outlive the simulator's process: the demo must bear a crash like the real one."""

import json
import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from aigen.adapters.openrouter.simulator.jobs import Job
from aigen.adapters.openrouter.simulator.scripts import Script

_MOST_RECALLED = 1000


class JobMemory:
    """A line of JSON for each job that was accepted, in a file; without a file, nothing.

    Only what a job is from its beginning is noted: what has become of it follows from the clock
    (`video_seconds`), so polls that are counted start anew after a crash.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def note(self, job: Job) -> None:
        """Remember a job; it is on disk when this returns."""
        if self._file is None:
            return
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(_to_json(job)) + "\n")
            lines.flush()
            os.fsync(lines.fileno())

    def recall(self) -> list[Job]:
        """The latest jobs, oldest first; a line that a crash cut short is passed over."""
        if self._file is None or not self._file.exists():
            return []
        jobs = []
        for line in self._file.read_text(encoding="utf-8").splitlines()[-_MOST_RECALLED:]:
            try:
                jobs.append(_from_json(json.loads(line)))
            except (ValueError, KeyError, TypeError):
                continue
        return jobs


def _to_json(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "generation_id": job.generation_id,
        "model": job.model,
        "seed": job.seed,
        "ratio": str(job.ratio),
        "seconds": job.seconds,
        "cost": str(job.cost),
        "script": dict(job.script.values),
        "origin": job.origin,
        "ready_at": job.ready_at,
        "polls_needed": job.polls_needed,
        "callback_url": job.callback_url,
    }


def _from_json(noted: dict[str, Any]) -> Job:
    return Job(
        **noted
        | {
            "ratio": Fraction(noted["ratio"]),
            "cost": Decimal(noted["cost"]),
            "script": Script(values=noted["script"]),
        }
    )
