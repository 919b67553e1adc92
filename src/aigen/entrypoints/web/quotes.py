"""What a generation will cost, as it stands on the button that buys it."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.signed_in import api
from aigen.entrypoints.web.wording import usd


@frozen(kw_only=True)
class Quote:
    """`price` as in `about $0.04`, or that nobody can tell; `objection` is why it would be refused
    now. Both are empty where there is nothing to say."""

    price: str = ""
    objection: str = ""


def quote(kind: str, wanted: Mapping[str, Any]) -> Quote:
    """`wanted` are fields of the API, of which the prompt makes no difference to pictures and
    films."""
    body = {"kind": kind, "prompt": "-"} | dict(wanted)
    try:
        answer = api().ask("POST", "/generate/quote", body=body)
    except ApiRefused:
        return Quote()
    amount = answer["estimate_usd"]
    price = "price unknown" if amount is None else f"about {usd(amount)}"
    return Quote(price=price, objection=answer.get("objection", ""))
