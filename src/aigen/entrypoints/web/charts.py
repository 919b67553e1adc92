"""Numbers side by side, as bars."""

from collections.abc import Callable, Mapping

from attrs import frozen

from aigen.entrypoints.web.wording import usd


@frozen(kw_only=True)
class Bar:
    """`percent` is its length beside the longest of its chart."""

    name: str
    shown: str
    percent: float


@frozen(kw_only=True)
class Chart:
    """`headline` is the one number that somebody in a hurry looks for."""

    title: str
    headline: str
    unit: str
    bars: tuple[Bar, ...]


def counts(title: str, headline: int, unit: str, parts: Mapping[str, int]) -> Chart:
    return _chart(title, headline, unit, parts, lambda count: f"{count:,}")


def amounts(title: str, headline: float, unit: str, parts: Mapping[str, float]) -> Chart:
    """The same of US dollars."""
    return _chart(title, headline, unit, parts, usd)


def _chart(
    title: str,
    headline: float,
    unit: str,
    parts: Mapping[str, float],
    show: Callable[..., str],
) -> Chart:
    longest = max(parts.values()) or 1
    bars = (
        Bar(name=name, shown=show(value), percent=round(value / longest * 100, 1))
        for name, value in parts.items()
    )
    return Chart(title=title, headline=show(headline), unit=unit, bars=tuple(bars))
