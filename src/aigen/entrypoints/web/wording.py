"""Numbers, instants and prices as people read them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from flask import Flask

_MILLION = 1_000_000
_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86_400, 7 * 86_400
_CENT = Decimal("0.01")
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def usd(amount: float | None) -> str:
    """Dollars; of what is less than a cent, the first two digits that count."""
    if amount is None:
        return "not reported"
    exact = Decimal(str(amount))
    if not exact or abs(exact) >= _CENT:
        return f"${exact:,.2f}"
    return f"${exact:.{1 - exact.adjusted()}f}"


def ago(at: str) -> str:
    """How long ago an instant of the API was; of what is older than a week, the day."""
    then = datetime.fromisoformat(at)
    seconds = (datetime.now(UTC) - then).total_seconds()
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min ago"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h ago"
    if seconds < _WEEK:
        return counted(int(seconds // _DAY), "day") + " ago"
    return day(at)


def seconds_since(at: str) -> int:
    """How many seconds ago an instant of the API was."""
    return max(0, int((datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()))


def is_past(at: str) -> bool:
    return datetime.fromisoformat(at) <= datetime.now(UTC)


def day(at: str) -> str:
    """As in `3 Oct 2026`."""
    return f"{datetime.fromisoformat(at):%-d %b %Y}"


@lru_cache(4096)
def exactly(at: str) -> str:
    return f"{datetime.fromisoformat(at):%-d %b %Y, %H:%M} UTC"


def counted(count: int, noun: str) -> str:
    """As in `1 token`, `2,000 tokens`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def size(count: int) -> str:
    """Bytes, as in `5 GiB` or `1.5 MiB`."""
    power = min(max(0, count.bit_length() - 1) // 10, len(_UNITS) - 1)
    return f"{count / 2 ** (10 * power):,.1f}".removesuffix(".0") + f" {_UNITS[power]}"


def pruned(counts: Mapping[str, Any]) -> str:
    """As in `2 texts, 1 image and 3 videos, with 4 files of 1.5 MiB`."""
    texts, images, videos, files = (
        counted(int(counts.get(f"{noun}s", 0)), noun) for noun in ("text", "image", "video", "file")
    )
    return f"{texts}, {images} and {videos}, with {files} of {size(int(counts.get('bytes', 0)))}"


def duration(seconds: int) -> str:
    """As in `40 seconds`, `2 minutes`."""
    if seconds < 2 * _MINUTE:
        return counted(seconds, "second")
    return counted(-(-seconds // _MINUTE), "minute")


def model_price(model: Mapping[str, Any]) -> str:
    """What a model costs, in a few words; empty if the provider does not say it plainly."""
    prices = {price["per"]: price["usd"] for price in model["pricing"]}
    if "video" in model["output"]:
        return _video_price(prices)
    if "image" in model["output"]:
        return _cheapest(prices, "output_image", "a picture")
    if "prompt_token" not in prices or "completion_token" not in prices:
        return ""
    asked, answered = prices["prompt_token"], prices["completion_token"]
    if not asked and not answered:
        return "free"
    return f"{usd(asked * _MILLION)} in, {usd(answered * _MILLION)} out per million tokens"


def _video_price(prices: Mapping[str, float]) -> str:
    return _cheapest(prices, "per-video-second", "a second") or _cheapest(
        prices, "generate", "a video"
    )


def _cheapest(prices: Mapping[str, float], prefix: str, unit: str) -> str:
    """The price of one, in all its variants."""
    found = [amount for per, amount in prices.items() if per.startswith(prefix)]
    if not found:
        return ""
    return f"{'from ' if len(set(found)) > 1 else ''}{usd(min(found))} {unit}"


def install(app: Flask) -> None:
    dates = (ago, seconds_since, is_past, day, exactly, duration)
    for word in (*dates, usd, counted, size, pruned, model_price):
        app.add_template_filter(word)
