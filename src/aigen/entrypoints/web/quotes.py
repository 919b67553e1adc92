"""What a generation will cost, as it stands on the button that buys it."""

from collections.abc import Mapping
from typing import Any

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.signed_in import api
from aigen.entrypoints.web.wording import usd


def quote(kind: str, wanted: Mapping[str, Any]) -> str:
    """As in `about $0.04`, or that nobody can tell; empty if the API would refuse it. `wanted` are
    fields of the API, of which the prompt makes no difference to pictures and films."""
    body = {"kind": kind, "prompt": "-"} | dict(wanted)
    try:
        amount = api().ask("POST", "/generate/quote", body=body)["estimate_usd"]
    except ApiRefused:
        return ""
    return "price unknown" if amount is None else f"about {usd(amount)}"
