"""What to do about a job after each answer of the provider: pure decisions over a few counters."""

from datetime import datetime, timedelta

from attrs import define, frozen

from aigen.domain.model.videos import VideoError
from aigen.ports.jobs import Claim, NoFilm
from aigen.ports.provider import (
    Done,
    Ended,
    InProgress,
    Misconfigured,
    Missing,
    PollOutcome,
    Unreachable,
)

_LONGEST_PAUSE = timedelta(minutes=5)

#: A provider that forgets a job for a moment is asked again: so often, and for so long.
_MISSING_TIMES = 3
_MISSING_FOR = timedelta(minutes=2)

#: Polls after "completed" without an address before the job's content route is tried.
_POLLS_WITHOUT_ADDRESS = 3

#: Downloads that may fail, each after a poll that gave a fresh address.
_MOST_DOWNLOADS = 5

_ENDINGS = {
    "cancelled": (VideoError.PROVIDER_CANCELLED, "The provider cancelled the job"),
    "expired": (VideoError.PROVIDER_EXPIRED, "The provider gave up, since the job took too long"),
}
_FAILED = (VideoError.PROVIDER_FAILED, "The provider could not make the video")


@frozen(kw_only=True)
class Again:
    """Poll once more after this pause."""

    pause: timedelta


@frozen(kw_only=True)
class Fetch:
    """The film is ready: fetch it from the first address that works, None being the job's
    content route."""

    addresses: tuple[str | None, ...]
    done: Done


Step = Again | Fetch | NoFilm


@define
class Watch:
    """A job that the provider works on, and what has gone wrong with it lately."""

    claim: Claim
    interval: timedelta
    unreachable: int = 0
    missing: int = 0
    missing_since: datetime | None = None
    without_address: int = 0
    downloads: int = 0

    def after(self, outcome: PollOutcome, now: datetime) -> Step:
        """The step that a poll's outcome leads to; at the deadline there is no other poll."""
        step = self._step(outcome, now)
        return self._overdue() if isinstance(step, Again) and self._is_due(now) else step

    def after_failed_download(
        self, now: datetime, *, is_missing: bool, done: Done
    ) -> Again | NoFilm:
        """The step after none of the addresses gave the film."""
        self.downloads += 1
        if self.downloads < _MOST_DOWNLOADS and not self._is_due(now):
            return Again(pause=self._backoff(self.downloads))
        if is_missing:
            return NoFilm(
                code=VideoError.NO_CONTENT,
                reason="The provider says that the video is finished, but has none to fetch.",
                cost_usd=done.cost_usd,
                generation_ids=done.generation_ids,
            )
        return NoFilm(
            code=VideoError.MEDIA_UNAVAILABLE,
            reason="The video was finished, but could not be downloaded from the provider.",
            cost_usd=done.cost_usd,
            generation_ids=done.generation_ids,
        )

    def after_full_disk(self, now: datetime) -> Again | NoFilm:
        """The step after the film could not be stored for want of room."""
        return self._overdue() if self._is_due(now) else Again(pause=_LONGEST_PAUSE / 5)

    def after_accident(self, now: datetime) -> Again | NoFilm:
        """The step after something failed on our side that should not be able to fail."""
        return self._overdue() if self._is_due(now) else Again(pause=self.interval)

    def _step(self, outcome: PollOutcome, now: datetime) -> Step:
        if isinstance(outcome, InProgress | Done):
            self.unreachable, self.missing, self.missing_since = 0, 0, None
        match outcome:
            case InProgress():
                return Again(pause=self.interval)
            case Done():
                return self._done(outcome)
            case Ended(how=how, reason=reason):
                code, words = _ENDINGS.get(how, _FAILED)
                return NoFilm(
                    code=code,
                    reason=f"{words}: {reason}" if reason else words + ".",
                    cost_usd=outcome.cost_usd,
                    generation_ids=outcome.generation_ids,
                )
            case Missing():
                return self._missing(now)
            case Unreachable(retry_after=retry_after):
                self.unreachable += 1
                pause = self._backoff(self.unreachable)
                return Again(pause=min(max(pause, retry_after or pause), _LONGEST_PAUSE))
            case Misconfigured():
                return Again(pause=self.interval)

    def _done(self, done: Done) -> Step:
        if done.addresses:
            return Fetch(addresses=done.addresses, done=done)
        self.without_address += 1
        if self.without_address <= _POLLS_WITHOUT_ADDRESS:
            return Again(pause=self.interval)
        return Fetch(addresses=(None,), done=done)

    def _missing(self, now: datetime) -> Step:
        self.missing += 1
        self.missing_since = self.missing_since or now
        if self.missing < _MISSING_TIMES or now - self.missing_since < _MISSING_FOR:
            return Again(pause=max(self.interval, _MISSING_FOR / _MISSING_TIMES))
        return NoFilm(
            code=VideoError.PROVIDER_LOST, reason="The provider does not know the job any more."
        )

    def _backoff(self, failures: int) -> timedelta:
        longer: int = 2 ** min(failures - 1, 10)
        return min(self.interval * longer, _LONGEST_PAUSE)

    def _is_due(self, now: datetime) -> bool:
        return now >= self.claim.deadline_at

    def _overdue(self) -> NoFilm:
        return NoFilm(
            code=VideoError.DEADLINE,
            reason="The provider did not finish the video in time; it may still be charged.",
        )
