"""What the contracts of the providers are given to test."""

from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from attrs import frozen

from aigen.ports.provider import Failure

P = TypeVar("P")
R = TypeVar("R")


@frozen(kw_only=True)
class Subject(Generic[P, R]):
    """A provider, and how to bring about the ways in which its requests can end.

    `ending(kind)` gives the next request to send and sees to it that it ends so: by what it says
    to a simulator, by a script, by the answer of a server on this machine. It is asked for success
    and for each of `endings`, the kinds of failure that this provider knows.
    """

    provider: P
    ending: Callable[[type], R]
    endings: Collection[type]


def check_failure(outcome: object, kind: type[Failure]) -> None:
    """It is of this kind, and says why in words that a person can be shown."""
    assert type(outcome) is kind, outcome
    reason = getattr(outcome, "reason", "")
    assert isinstance(reason, str)
    assert reason.strip()
