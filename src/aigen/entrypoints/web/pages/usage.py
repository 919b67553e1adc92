"""What one has spent, and may still spend."""

from typing import Any

from attrs import frozen
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from aigen.entrypoints.web.signed_in import api

usage = Blueprint("usage", __name__)


@frozen(kw_only=True)
class Allowance:
    """A day's or a month's spending. `percent` is how much of the limit is spent, and `held`
    with what is still in the making."""

    title: str
    spent: float
    reserved: float
    limit: float | None
    renews_at: str

    @property
    def left(self) -> float:
        return max(0.0, (self.limit or 0.0) - self.spent - self.reserved)

    @property
    def percent(self) -> float:
        return self._share_of_limit(self.spent)

    @property
    def held(self) -> float:
        return self._share_of_limit(self.spent + self.reserved)

    def _share_of_limit(self, amount: float) -> float:
        if not self.limit:
            return 100.0
        return round(min(100.0, amount / self.limit * 100), 1)


@usage.get("/usage")
def show() -> ResponseReturnValue:
    found = api().ask("GET", "/users/me/usage")
    dearest = max((line["cost_usd"] for line in found["by_model"]), default=0) or 1
    return render_template(
        "usage.html",
        allowances=(_allowance("Today", found["day"]), _allowance("This month", found["month"])),
        models=[
            line | {"percent": round(line["cost_usd"] / dearest * 100, 1)}
            for line in found["by_model"]
        ],
    )


def _allowance(title: str, window: dict[str, Any]) -> Allowance:
    return Allowance(
        title=title,
        spent=window["spent_usd"],
        reserved=window["reserved_usd"],
        limit=window["limit_usd"],
        renews_at=window["renews_at"],
    )
