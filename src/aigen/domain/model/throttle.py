"""How failed logins slow down further ones, without ever locking anybody out for good."""

from datetime import datetime, timedelta

from attrs import evolve, frozen

WINDOW = timedelta(minutes=15)
LONGEST_WAIT = timedelta(seconds=900)


@frozen(kw_only=True)
class FailedLogins:
    """The recent failures of one subject, an account's identity or a client's address.

    Up to `limit` failures within `WINDOW` are free; each further one doubles the wait, from one
    second to `LONGEST_WAIT`. A quiet `WINDOW` after the last wait forgets everything.
    """

    subject: str
    count: int
    since: datetime
    blocked_until: datetime | None = None

    def wait(self, now: datetime) -> timedelta:
        """How long the subject must wait before its next try; zero if it need not."""
        if self.blocked_until is None or now >= self.blocked_until:
            return timedelta(0)
        return self.blocked_until - now

    def failed(self, *, limit: int, now: datetime) -> "FailedLogins":
        if self.is_forgotten(now):
            return FailedLogins(subject=self.subject, count=0, since=now).failed(
                limit=limit, now=now
            )
        count = self.count + 1
        if count < limit:
            return evolve(self, count=count)
        # The exponent is capped because 2 ** count outgrows what a timedelta can hold.
        wait = min(timedelta(seconds=2 ** min(count - limit, 30)), LONGEST_WAIT)
        return evolve(self, count=count, blocked_until=now + wait)

    def is_forgotten(self, now: datetime) -> bool:
        return now >= (self.blocked_until or self.since) + WINDOW
