"""One's own account."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.errors import Refusal
from aigen.entrypoints.web.forms import filled
from aigen.entrypoints.web.signed_in import api, remember_user

profile = Blueprint("profile", __name__)


@profile.get("/users/profile")
def show() -> ResponseReturnValue:
    me = api().ask("GET", "/users/me")
    remember_user(me)
    return _page(me)


@profile.post("/users/profile")
def change() -> ResponseReturnValue:
    """One form changes the address, another the password; either may be left out."""
    me = api().ask("GET", "/users/me")
    wanted = {"current_password": ""} | filled("current_password", "email", "new_password")
    if wanted.get("email") == me["email"]:
        del wanted["email"]
    if wanted.keys() == {"current_password"}:
        flash("Nothing was changed.", "info")
        return redirect(url_for("profile.show"))
    try:
        remember_user(api().ask("PUT", "/users/me", body=wanted))
    except ApiRefused as error:
        refusal = Refusal.of(error)
        return _page(me, refusal, wanted), refusal.status
    if "email" in wanted:
        flash("Your e-mail address has been changed.", "success")
    if "new_password" in wanted:
        flash("Your password has been changed. All your other sessions have ended.", "success")
    return redirect(url_for("profile.show"))


def _page(
    me: dict[str, Any], refusal: Refusal | None = None, wanted: dict[str, str] | None = None
) -> str:
    """The page; a refusal belongs to the form that was sent."""
    wanted = wanted or {}
    return render_template(
        "profile.html",
        me=me,
        email=wanted.get("email", me["email"]),
        email_refusal=None if "new_password" in wanted else refusal,
        password_refusal=refusal if "new_password" in wanted else None,
    )
