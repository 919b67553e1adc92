"""Video jobs: what each will do at its polls and downloads, and the bounded memory of them."""

from collections import OrderedDict
from decimal import Decimal
from fractions import Fraction

from attrs import evolve, frozen

from aigen.adapters.openrouter.simulator.scripts import Script

PENDING, IN_PROGRESS = "pending", "in_progress"
COMPLETED, FAILED, CANCELLED, EXPIRED = "completed", "failed", "cancelled", "expired"
TERMINAL = frozenset((COMPLETED, FAILED, CANCELLED, EXPIRED))

_REASONS = {
    FAILED: "Content policy violation",
    CANCELLED: "The job was cancelled by the provider",
    EXPIRED: "Job exceeded maximum time to live",
}
_MOST_UNFINISHED = 50_000


@frozen(kw_only=True)
class Job:
    """A video under way. It finishes by polls or, with `ready_at`, by the clock."""

    id: str
    generation_id: str
    model: str
    seed: str
    ratio: Fraction
    seconds: int
    cost: Decimal
    script: Script
    origin: str
    ready_at: float | None
    polls_needed: int
    callback_url: str | None = None
    polls: int = 0
    downloads: int = 0
    status: str = PENDING
    finished_at: float | None = None

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def error(self) -> str | None:
        if self.status not in _REASONS:
            return None
        return self.script.text("fail") or _REASONS[self.status]

    @property
    def poll_fault(self) -> int | None:
        """The status that the current poll is answered with instead of the job."""
        errors = self.script.count("poll-error")
        if self.polls <= errors:
            return 500
        return 404 if self.polls <= errors + self.script.count("poll-404") else None

    def polled(self, now: float) -> "Job":
        """One poll later. Polls that fail don't move the job on."""
        job = evolve(self, polls=self.polls + 1)
        if job.poll_fault is not None:
            return job
        faulty = self.script.count("poll-error") + self.script.count("poll-404")
        if self.ready_at is None and job.polls - faulty >= self.polls_needed:
            return job.ended(now)
        job = job.seen(now)
        return job if job.is_terminal else evolve(job, status=self._unfinished_status())

    def seen(self, now: float) -> "Job":
        """The job at that time, if it goes by the clock."""
        return self.ended(now) if self.ready_at is not None and now >= self.ready_at else self

    def ended(self, now: float) -> "Job":
        """The job with the end that its script says, unless it never ends or has ended."""
        if self.is_terminal or self.script.has("forever"):
            return self if self.is_terminal else evolve(self, status=self._unfinished_status())
        return evolve(self, status=self._last_status(), finished_at=now)

    def downloaded(self) -> "Job":
        return evolve(self, downloads=self.downloads + 1)

    def _unfinished_status(self) -> str:
        return "rendering" if self.script.has("unknown-status") else IN_PROGRESS

    def _last_status(self) -> str:
        if self.script.has("fail"):
            return FAILED
        if self.script.has("cancelled"):
            return CANCELLED
        return EXPIRED if self.script.has("expired") else COMPLETED


class Jobs:
    """Jobs by id. The oldest finished ones are forgotten, and far too many unfinished ones."""

    def __init__(self) -> None:
        self._unfinished: OrderedDict[str, Job] = OrderedDict()
        self._finished: OrderedDict[str, Job] = OrderedDict()

    def get(self, job_id: str) -> Job | None:
        return self._unfinished.get(job_id) or self._finished.get(job_id)

    def put(self, job: Job, most_finished: int) -> None:
        if job.is_terminal:
            self._unfinished.pop(job.id, None)
            self._finished[job.id] = job
        else:
            self._unfinished[job.id] = job
        while len(self._finished) > most_finished:
            self._finished.popitem(last=False)
        while len(self._unfinished) > _MOST_UNFINISHED:
            self._unfinished.popitem(last=False)

    def counts(self) -> dict[str, int]:
        return {"unfinished": len(self._unfinished), "finished": len(self._finished)}
