"""One's own keys, for programs."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.backend import backend
from aigen.entrypoints.web.errors import Refusal
from aigen.entrypoints.web.forms import filled, with_amounts
from aigen.entrypoints.web.signed_in import api

keys = Blueprint("keys", __name__)


@keys.get("/keys")
def show() -> ResponseReturnValue:
    return _page()


@keys.post("/keys")
def make() -> ResponseReturnValue:
    """The key is on the page that answers, and nowhere again."""
    typed = filled("name", "expires_at", "usd_month")
    try:
        made = api().ask("POST", "/keys", body={"name": ""} | _body(typed))
    except ApiRefused as error:
        refusal = Refusal.of(error)
        return _page(refusal, typed), refusal.status
    offer = backend().catalogue.offer("text", api().ask)
    return render_template(
        "keys/made.html",
        made=made,
        address=backend().settings.api_url,
        model=offer.preferred(""),
    )


@keys.post("/keys/<uuid:key_id>/delete")
def revoke(key_id: UUID) -> ResponseReturnValue:
    try:
        api().ask("DELETE", f"/keys/{key_id}")
    except ApiRefused as error:
        if error.problem != "not_found":
            raise
        flash("The key was gone already.", "info")
    else:
        flash("The key has been revoked: it is refused from now on.", "success")
    return redirect(url_for("keys.show"))


def _body(typed: dict[str, str]) -> dict[str, Any]:
    """As the API wants it: a key is good until the end of its last day."""
    body = with_amounts(typed, "usd_month")
    if "expires_at" in typed:
        body["expires_at"] = f"{typed['expires_at']}T23:59:59Z"
    return body


def _page(refusal: Refusal | None = None, typed: dict[str, str] | None = None) -> str:
    found = api().ask("GET", "/keys")
    return render_template(
        "keys/page.html", keys=found["items"], refusal=refusal, typed=typed or {}
    )
