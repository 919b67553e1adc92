"""Ways to find values other than by key: by a property, and the queue of jobs to submit."""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Generic, TypeVar

from aigen.domain.model.videos import VideoJob, VideoState

G = TypeVar("G", bound=Hashable)
V = TypeVar("V")


class GroupIndex(Generic[G, V]):
    """Values by a property, in the order in which they came; those without it are left out."""

    def __init__(self, group_of: Callable[[V], G | None], key_of: Callable[[V], Hashable]) -> None:
        self._group_of = group_of
        self._key_of = key_of
        self._groups: dict[G, dict[Hashable, V]] = {}

    def moved(self, before: V | None, after: V | None, /) -> None:
        old = None if before is None else self._group_of(before)
        new = None if after is None else self._group_of(after)
        if before is not None and old is not None and old != new:
            group = self._groups[old]
            del group[self._key_of(before)]
            if not group:
                del self._groups[old]
        if after is not None and new is not None:
            self._groups.setdefault(new, {})[self._key_of(after)] = after

    def find(self, group: G) -> tuple[V, ...]:
        return tuple(self._groups.get(group, {}).values())

    def count(self, group: G) -> int:
        return len(self._groups.get(group, ()))


class ReadyQueue:
    """Queued jobs, taken round the users so that nobody's hundred jobs delay another's one.

    Whoever was just served goes to the end of the round, and so does whoever joins it.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, VideoJob] = {}
        self._round: OrderedDict[str, list[tuple[datetime, str]]] = OrderedDict()
        self._deadlines: list[tuple[datetime, str]] = []

    def moved(self, before: VideoJob | None, after: VideoJob | None, /) -> None:
        if before is not None and before.id in self._jobs:
            self._discard(before)
            is_served = after is not None and after.state is VideoState.SUBMITTING
            if is_served and before.user_id in self._round:
                self._round.move_to_end(before.user_id)
        if after is not None and after.state is VideoState.QUEUED and not after.is_held:
            self._add(after)

    def ready(self, now: datetime, limit: int) -> tuple[VideoJob, ...]:
        """Up to `limit` jobs that need not wait: everybody's first, then everybody's second, …"""
        taken: list[VideoJob] = []
        waiting = list(self._round.values())
        turn = 0
        while waiting and len(taken) < limit:
            waiting = [queue for queue in waiting if turn < len(queue) and queue[turn][0] <= now]
            taken.extend(self._jobs[queue[turn][1]] for queue in waiting[: limit - len(taken)])
            turn += 1
        return tuple(taken)

    def overdue(self, now: datetime) -> tuple[VideoJob, ...]:
        """Jobs that have waited past their deadline."""
        passed = bisect_left(self._deadlines, (now, _LAST))
        return tuple(self._jobs[video_id] for _, video_id in self._deadlines[:passed])

    def _add(self, job: VideoJob) -> None:
        self._jobs[job.id] = job
        insort(self._round.setdefault(job.user_id, []), (job.not_before, job.id))
        insort(self._deadlines, (job.deadline_at, job.id))

    def _discard(self, job: VideoJob) -> None:
        del self._jobs[job.id]
        queue = self._round[job.user_id]
        del queue[bisect_left(queue, (job.not_before, job.id))]
        if not queue:
            del self._round[job.user_id]
        del self._deadlines[bisect_left(self._deadlines, (job.deadline_at, job.id))]


#: Sorts after every id.
_LAST = "~"
