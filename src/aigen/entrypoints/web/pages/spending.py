"""The administration of money: who spends what, and the limits of users and the house."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.errors import Refusal
from aigen.entrypoints.web.forms import filled, with_amounts
from aigen.entrypoints.web.signed_in import api

spending = Blueprint("spending", __name__, url_prefix="/admin")

GROUPS = {"user": "User", "model": "Model", "day": "Day"}
_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_LIMITS = ("usd_day", "usd_month")
_HOUSE_LIMITS = (*_LIMITS, "default_usd_day", "default_usd_month")


# --- who spends what ------------------------------------------------------------------------


@spending.get("/usage")
def show() -> ResponseReturnValue:
    return _page()


@spending.get("/usage.<ending>")
def download(ending: str) -> ResponseReturnValue:
    """The same as a file."""
    if ending not in _TYPES:
        raise NotFound
    query = _query()
    content = api().fetch(f"/admin/usage?{urlencode(query)}", _TYPES[ending])
    name = f"usage-by-{query['group']}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, content_type=_TYPES[ending], headers=headers)


def _query() -> dict[str, str]:
    asked = {name: request.args[name] for name in ("from", "to") if request.args.get(name)}
    group = request.args.get("group", "user")
    return {"group": group if group in GROUPS else "user"} | asked


def _page(refusal: Refusal | None = None, typed: dict[str, str] | None = None) -> str:
    query = _query()
    wrong_days = None
    lines: list[Any] = []
    try:
        lines = api().ask("GET", f"/admin/usage?{urlencode(query)}")["items"]
    except ApiRefused as error:
        if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        wrong_days = Refusal.of(error)
    dearest = max((line["cost_usd"] for line in lines), default=0) or 1
    return render_template(
        "spending/page.html",
        query=query,
        groups=GROUPS,
        lines=[line | {"percent": round(line["cost_usd"] / dearest * 100, 1)} for line in lines],
        total=sum(line["cost_usd"] for line in lines),
        limits=_shown(api().ask("GET", "/admin/limits")) if typed is None else typed,
        wrong_days=wrong_days,
        refusal=refusal,
    )


# --- limits ---------------------------------------------------------------------------------


@spending.post("/limits")
def limit_house() -> ResponseReturnValue:
    typed = filled(*_HOUSE_LIMITS)
    try:
        api().ask("PUT", "/admin/limits", body=_body(typed, _HOUSE_LIMITS))
    except ApiRefused as error:
        refusal = Refusal.of(error)
        return _page(refusal, typed), refusal.status
    flash("The limits have been changed, from the next request on.", "success")
    return redirect(url_for("spending.show"))


@spending.get("/users/<uuid:user_id>/limits")
def show_user(user_id: UUID) -> ResponseReturnValue:
    limits = api().ask("GET", f"/users/{user_id}/limits")
    return _page_of_user(user_id, _shown(limits))


@spending.post("/users/<uuid:user_id>/limits")
def limit_user(user_id: UUID) -> ResponseReturnValue:
    typed = filled(*_LIMITS)
    try:
        api().ask("PUT", f"/users/{user_id}/limits", body=_body(typed, _LIMITS))
    except ApiRefused as error:
        refusal = Refusal.of(error)
        return _page_of_user(user_id, typed, refusal), refusal.status
    flash("The limits have been changed, from the next request on.", "success")
    return redirect(url_for("admin.show"))


def _page_of_user(user_id: UUID, limits: dict[str, str], refusal: Refusal | None = None) -> str:
    owner = api().ask("GET", f"/users/{user_id}")
    return render_template("spending/limits.html", owner=owner, limits=limits, refusal=refusal)


def _body(typed: dict[str, str], names: tuple[str, ...]) -> dict[str, Any]:
    """As the API wants it: an empty field is no limit."""
    return dict.fromkeys(names) | with_amounts(typed, *names)


def _shown(limits: dict[str, float | None]) -> dict[str, str]:
    """As they stand in the fields of the form."""
    return {
        name: f"{usd:.10f}".rstrip("0").rstrip(".")
        for name, usd in limits.items()
        if usd is not None
    }
