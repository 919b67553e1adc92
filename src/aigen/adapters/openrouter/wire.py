"""Reading the provider's JSON: open to what is new, and never surprised by garbage."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import Any

_LONGEST_NUMBER = 50
_MOST_USD = Decimal(1_000_000)
_MOST_TOKENS = 10**12
_USD_STEP = Decimal("1e-10")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_GENERATION_ID = re.compile(r"gen-[A-Za-z0-9_-]{1,100}")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def parsed(body: bytes | str) -> object:
    """What a JSON text says; None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def words(value: object) -> str:
    """A text without what no database takes; empty if it is not a text."""
    return _UNSTORABLE.sub("\ufffd", value) if isinstance(value, str) else ""


def line(value: object, longest: int) -> str:
    """A text on one line, without control characters, cut to a length; empty if it is none."""
    if not isinstance(value, str):
        return ""
    # Cut twice: the first spares work on a flood, the second is exact.
    clean = " ".join(_CONTROL.sub(" ", value[: 8 * longest]).split())
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def usd(value: object) -> Decimal | None:
    """An amount of money as a number or its text; None if it is not a believable one."""
    amount = price(value)
    return None if amount is None else amount.quantize(_USD_STEP)


def price(value: object) -> Decimal | None:
    """The same for the price of a single token, which may be smaller than any amount we keep."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        # By way of its text, since Decimal(0.1) has 55 digits.
        text = str(value)
        amount = Decimal(text) if len(text) <= _LONGEST_NUMBER else Decimal("NaN")
    except (DecimalException, ValueError):  # ValueError: a whole number of over 4300 digits
        return None
    is_sane = amount.is_finite() and 0 <= amount < _MOST_USD
    return amount.copy_abs() if is_sane else None


def generation_id(value: object) -> str:
    """The id of a generation, by which its cost can be asked for; empty if it is none."""
    return value if isinstance(value, str) and _GENERATION_ID.fullmatch(value) else ""


def unpriced(generation: str, cost_usd: Decimal | None) -> tuple[str, ...]:
    """The id, if there is one and its cost was not told."""
    return (generation,) if generation and cost_usd is None else ()


def tokens(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value <= _MOST_TOKENS else 0
