"""What a model's pictures cost, from the list of endpoints that may serve it."""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from aigen.adapters.openrouter.wire import items, line, mapping, parsed, price
from aigen.domain.model.catalogue import Price
from aigen.domain.model.limits import LONGEST_OPTION

#: What is billed and in which unit, and our name for that; any other is `<billed>_per_<unit>`.
_NAMES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("output_image", "image"): "output_image",
        ("output_image", "megapixel"): "output_megapixel",
        ("input_image", "image"): "input_image",
        ("input_reference", "image"): "input_reference",
        ("input_text", "token"): "input_text",
    }
)
_WORD = re.compile(r"[a-z_]{1,40}")
#: A resolution, which requests and capabilities write with a capital.
_SMALL_K = re.compile(r"[\d.]+k")
_MOST = 200

#: US dollars per name and variant; the empty variant is for those without a price of their own.
_Rates = Mapping[tuple[str, str], Decimal]


def picture_prices(body: bytes) -> tuple[Price, ...] | None:
    """For each thing and variant the highest price, since any endpoint may serve a request; None
    if the answer cannot be read. A price of 0 is left out: it is not known to be one."""
    endpoints = mapping(parsed(body)).get("endpoints")
    if not isinstance(endpoints, list):
        return None
    all_rates = [_rates(mapping(endpoint)) for endpoint in endpoints[:_MOST]]
    named = dict.fromkeys(key for rates in all_rates for key in rates)
    return tuple(
        Price(per=" ".join(filter(None, key)), usd=max(_rate(rates, *key) for rates in all_rates))
        for key in list(named)[:_MOST]
    )


def _rates(endpoint: Mapping[str, object]) -> _Rates:
    rates: dict[tuple[str, str], Decimal] = {}
    for entry in map(mapping, items(endpoint.get("pricing"))[:_MOST]):
        key = _name(entry.get("billable"), entry.get("unit")), _variant(entry.get("variant"))
        usd = price(entry.get("cost_usd"))
        if key[0] and usd:
            rates[key] = max(usd, rates.get(key, usd))
    return rates


def _rate(rates: _Rates, name: str, variant: str) -> Decimal:
    return rates.get((name, variant)) or rates.get((name, "")) or Decimal(0)


def _name(billed: object, unit: object) -> str:
    """Empty if it is none, as what has a blank might be taken for a name with its variant."""
    if not isinstance(billed, str) or not isinstance(unit, str):
        return ""
    if not _WORD.fullmatch(billed) or not _WORD.fullmatch(unit):
        return ""
    return _NAMES.get((billed, unit), f"{billed}_per_{unit}")


def _variant(told: object) -> str:
    variant = line(told, LONGEST_OPTION)
    return variant.upper() if _SMALL_K.fullmatch(variant) else variant
