"""What every request must satisfy, whatever door it comes through."""

import re
from datetime import UTC, datetime

from aigen.domain.model.errors import InvalidRequest

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

LONGEST_MODEL = 200
LONGEST_PROMPT = 200_000
LONGEST_OPTION = 40
MOST_PICTURES = 10
MOST_TURNS = 1000
MOST_TOKENS = 10_000_000
HOTTEST = 2.0
LONGEST_FILM_SECONDS = 3600
LARGEST_SEED = 2**53 - 1  # the largest whole number that JSON carries safely


def check_text(field: str, text: str, *, longest: int) -> None:
    """Raise InvalidRequest unless the text says something, can be stored, and is not too long."""
    if not text.strip():
        raise InvalidRequest(f"`{field}` must not be empty.", field=field)
    if len(text) > longest:
        raise InvalidRequest(f"`{field}` may have at most {longest} characters.", field=field)
    if not can_be_stored(text):
        raise InvalidRequest(f"`{field}` holds a character that cannot be stored.", field=field)


def check_option(field: str, text: str | None) -> None:
    if text is not None:
        check_text(field, text, longest=LONGEST_OPTION)


def check_range(field: str, number: float | None, lowest: float, highest: float) -> None:
    # Written so that NaN, which compares with nothing, is outside.
    if number is not None and not lowest <= number <= highest:
        raise InvalidRequest(f"`{field}` must be from {lowest} to {highest}.", field=field)


def in_utc(field: str, instant: datetime) -> datetime:
    """The instant as all are kept. Raises InvalidRequest for one outside the calendar."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise InvalidRequest(f"`{field}` is not within the calendar.", field=field) from None


def can_be_stored(text: str) -> bool:
    """Whether a text has neither NUL, which databases refuse, nor half a surrogate pair."""
    return _UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    """The text, with a mark in the place of what cannot be stored."""
    return _UNSTORABLE.sub("\ufffd", text)
