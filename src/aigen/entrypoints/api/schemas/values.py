"""The kinds of values that requests and answers are made of."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from aigen.domain.model import limits

T = TypeVar("T")

_USD_DECIMALS = 10


def _storable(text: str) -> str:
    if not limits.can_be_stored(text):
        raise ValueError("holds a character that cannot be stored")
    return text


def usd(amount: float) -> Decimal:
    """As much of an amount as is kept, without the dust of binary fractions."""
    return Decimal(str(round(amount, _USD_DECIMALS)))


def _seconds(duration: timedelta) -> int | float:
    seconds = duration.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


class Body(BaseModel):
    """What a client sends: nothing unknown, no number in quotes, neither NaN nor infinity."""

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class Answer(BaseModel):
    """What the API answers."""

    model_config = ConfigDict(frozen=True)


class Listed(Answer, Generic[T]):
    """A page of a list, newest first; `next_cursor` is for `?cursor=`, null on the last page."""

    items: list[T]
    next_cursor: str | None


Storable = Annotated[str, AfterValidator(_storable)]
ModelId = Annotated[Storable, Field(min_length=1, max_length=limits.LONGEST_MODEL)]
Prompt = Annotated[Storable, Field(min_length=1, max_length=limits.LONGEST_PROMPT)]
Option = Annotated[Storable, Field(min_length=1, max_length=limits.LONGEST_OPTION)]
#: Long enough for what is refused with a better sentence, short enough to be cheap.
Credential = Annotated[Storable, Field(max_length=4096)]
Password = Annotated[str, Field(max_length=4096, json_schema_extra={"format": "password"})]
Token = Annotated[Storable, Field(min_length=1, max_length=8192)]

Usd = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
Seconds = Annotated[timedelta, PlainSerializer(_seconds, return_type=int | float, when_used="json")]
Instant = datetime
