"""The requests the simulator saw, so that tests in other processes can prove what was sent."""

from collections import Counter, OrderedDict
from datetime import UTC, datetime
from typing import Any

from attrs import asdict, evolve, frozen

_PROMPT_LENGTH = 200


@frozen(kw_only=True)
class Entry:
    """One request; `status` stays null as long as nothing was answered. `cost_usd` is what
    accepted work costs; a video that fails gets it back."""

    number: int
    at: str
    method: str
    path: str
    route: str
    model: str | None = None
    prompt: str | None = None
    accepted: bool = False
    cost_usd: float | None = None
    job_id: str | None = None
    status: int | None = None
    client_left: bool = False
    """The client hung up before the end of a stream."""


class Journal:
    """The newest entries; the counts survive the entries that were dropped."""

    def __init__(self) -> None:
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._last = 0
        self._cleared = 0
        self._answers: dict[str, Counter[str]] = {}
        self._accepted: Counter[str] = Counter()

    def open(self, *, at: float, method: str, path: str, route: str, most: int) -> int:
        """Note a request before anything is done with it; returns its number."""
        self._last += 1
        self._entries[self._last] = Entry(
            number=self._last,
            at=datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
            method=method,
            path=path,
            route=route,
        )
        while len(self._entries) > most:
            self._entries.popitem(last=False)
        self._count(route, None, 1)
        return self._last

    def describe(self, number: int, *, model: str | None, prompt: str) -> None:
        self._change(number, model=model, prompt=prompt[:_PROMPT_LENGTH])

    def accept(self, number: int, *, kind: str, cost_usd: float, job_id: str | None = None) -> None:
        """The provider took the work."""
        self._accepted[kind] += 1
        self._change(number, accepted=True, cost_usd=cost_usd, job_id=job_id)

    def touch(self, number: int, *, job_id: str) -> None:
        """The request is about that job."""
        self._change(number, job_id=job_id)

    def answer(self, number: int, route: str, status: int) -> None:
        if number > self._cleared:
            self._count(route, None, -1)
            self._count(route, status, 1)
            self._change(number, status=status)

    def hung_up(self, number: int) -> None:
        self._change(number, client_left=True)

    def clear(self) -> None:
        """Forget everything, also what the requests still unanswered will be answered."""
        self._cleared = self._last
        self._entries.clear()
        self._answers.clear()
        self._accepted.clear()

    def entries(self) -> list[dict[str, Any]]:
        return [asdict(entry) for entry in self._entries.values()]

    def summary(self) -> dict[str, Any]:
        """Counts by route and status ("none": not answered, yet or ever), and accepted work."""
        answers = {
            route: {status: count for status, count in counts.items() if count > 0}
            for route, counts in self._answers.items()
        }
        return {
            "requests": sum(sum(counts.values()) for counts in answers.values()),
            "by_route": answers,
            "jobs_accepted": self._accepted["videos"],
            "accepted": {kind: self._accepted[kind] for kind in ("chat", "images", "videos")},
        }

    def _count(self, route: str, status: int | None, by: int) -> None:
        counts = self._answers.setdefault(route, Counter())
        counts["none" if status is None else str(status)] += by

    def _change(self, number: int, **changes: Any) -> None:
        if entry := self._entries.get(number):
            self._entries[number] = evolve(entry, **changes)
