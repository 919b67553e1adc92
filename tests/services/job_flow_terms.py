"""The words of a job flow: its limits, what a provider may say, and who has seen what."""

from datetime import datetime, timedelta
from decimal import Decimal

from attrs import define, field

from aigen.domain.model.ledger import Charge, Tally
from aigen.domain.model.videos import VideoJob
from aigen.ports.jobs import Claim
from aigen.ports.provider import (
    Misconfigured,
    NotSent,
    Refused,
    SubmitOutcome,
    Unknown,
)

JOBS_PER_USER = 3
#: What a film is estimated at and costs, and what a user, and all together, may spend a day.
ESTIMATE, COST = Decimal("0.02"), Decimal("0.01")
USER_CAP, HOUSE_CAP = Decimal("0.07"), Decimal("0.11")
DEADLINE = timedelta(hours=2)
LEASE = timedelta(seconds=60)

#: How a job may end at the provider: with a film or without, and what it says of the cost.
ENDS: dict[str, tuple[bool, Decimal | None]] = {
    "a film": (True, COST),
    "a film of unknown cost": (True, None),
    "none, for free": (False, Decimal(0)),
    "none, and not a word of the cost": (False, None),
}

#: How a provider may answer: what it says, and whether it has the job then.
VERDICTS: dict[str, tuple[SubmitOutcome | None, bool]] = {
    "takes it": (None, True),
    "takes it, and the answer is lost": (Unknown(reason="cut off"), True),
    "never sees it, and nobody knows": (Unknown(reason="cut off"), False),
    "refuses": (Refused(reason="no foxes"), False),
    "is busy": (NotSent(reason="busy", retry_after=timedelta(seconds=5)), False),
    "wants money": (Misconfigured(reason="no credit"), False),
}
#: Answers after which the same job may be sent once more.
HARMLESS = (NotSent, Misconfigured)


@define(eq=False)
class Hand:
    """A worker: what it has claimed and not sent, and what it polls. A dead one may wake up."""

    id: str
    is_alive: bool = True
    unsent: list[Claim] = field(factory=list)
    polled: dict[str, Claim] = field(factory=dict)


@define(eq=False)
class Sent:
    """A request that has left the house, and what came back."""

    hand: Hand
    claim: Claim
    outcome: SubmitOutcome
    #: The provider's id, if it really has the job.
    real_id: str | None
    is_answered: bool = False


@define
class Seen:
    """What the store says of all jobs at one instant."""

    jobs: dict[str, VideoJob]
    unfinished: dict[str, set[str]]
    leases: dict[str, datetime]
    owners: dict[str, str]
    charges: dict[str, Charge]
    tallies: dict[str, Tally | None]


def tally_on(tally: Tally | None, now: datetime) -> Decimal:
    """What was spent and is reserved that day."""
    return Decimal(0) if tally is None else tally.on(now.date()).of_day().held_usd
