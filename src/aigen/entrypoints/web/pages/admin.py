"""Administration: numbers, accounts, what waits to be settled, and what has happened."""

import secrets
from functools import cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.audit import sentence
from aigen.entrypoints.web.charts import Chart, amounts, counts
from aigen.entrypoints.web.errors import Refusal
from aigen.entrypoints.web.forms import filled
from aigen.entrypoints.web.signed_in import api, end, remember_user, user

admin = Blueprint("admin", __name__, url_prefix="/admin")

#: Which of several forms was refused, where it is not the one of a video, known by its id.
_ADDING = "adding"


@admin.get("")
def show() -> ResponseReturnValue:
    return _page()


# --- accounts -------------------------------------------------------------------------------


@admin.post("/users")
def add_user() -> ResponseReturnValue:
    """A password that was made here is shown on the page that answers, and nowhere again."""
    typed = filled("email", "password", "role")
    made = {} if "password" in typed else {"password": secrets.token_urlsafe(15)}
    try:
        added = api().ask("POST", "/users", body={"email": ""} | typed | made)
    except ApiRefused as error:
        return _refused(error, _ADDING)
    if not made:
        flash(f"{added['email']} can log in now.", "success")
        return _back()
    return render_template("admin/password.html", added=added, password=made["password"])


@admin.post("/users/<uuid:user_id>/role")
def set_role(user_id: UUID) -> ResponseReturnValue:
    try:
        changed = api().ask("PUT", f"/users/{user_id}/role", body=filled("role"))
    except ApiRefused as error:
        return _refused(error)
    is_admin = changed["role"] == "admin"
    if _is_oneself(user_id):
        remember_user(changed)
        if not is_admin:
            flash("You are no longer an administrator.", "success")
            return redirect(url_for("dashboard.show"))
    flash(
        f"{changed['email']} is {'an administrator' if is_admin else 'a plain user'} now.",
        "success",
    )
    return _back()


@admin.post("/users/<uuid:user_id>/delete")
def remove_user(user_id: UUID) -> ResponseReturnValue:
    try:
        api().ask("DELETE", f"/users/{user_id}")
    except ApiRefused as error:
        return _refused(error)
    if _is_oneself(user_id):
        end()
        flash("Your account has been removed.", "success")
        return redirect(url_for("sign_in.login"))
    flash("The account has been removed, with everything that it had made.", "success")
    return _back()


@admin.post("/users/<uuid:user_id>/reset-link")
def make_reset_link(user_id: UUID) -> ResponseReturnValue:
    """The link is on the page that answers, and nowhere again."""
    try:
        link = api().ask("POST", f"/users/{user_id}/reset-link")
        owner = api().ask("GET", f"/users/{user_id}")
    except ApiRefused as error:
        return _refused(error)
    return render_template("admin/reset_link.html", owner=owner, link=link)


# --- videos of which nobody knows -------------------------------------------------------------


@admin.post("/videos/<uuid:video_id>/resolve")
def resolve(video_id: UUID) -> ResponseReturnValue:
    """One of three: the provider's id for it, whether it was charged, or its release."""
    how: dict[str, Any] = filled("provider_job_id", "charged", "release")
    for name in how.keys() & {"charged", "release"}:
        how[name] = how[name] == "true"
    try:
        api().ask("POST", f"/admin/videos/{video_id}/resolve", body=how)
    except ApiRefused as error:
        return _refused(error, str(video_id))
    flash("The video is settled." if "charged" in how else "The video goes on.", "success")
    return _back()


# --- the audit ------------------------------------------------------------------------------


@admin.get("/audit")
def show_audit() -> ResponseReturnValue:
    query = urlencode({"limit": 50} | _asked("cursor"))
    found = api().ask("GET", f"/admin/audit?{query}")
    name_of = _names()
    return render_template(
        "admin/audit.html",
        entries=[entry | {"sentence": sentence(entry, name_of)} for entry in found["items"]],
        older=found["next_cursor"],
    )


# --- parts ----------------------------------------------------------------------------------


def _page(refusal: Refusal | None = None, form: str = "") -> str:
    """The page; a refusal stands at its form, or at the top if that is gone."""
    query = _asked("q", "cursor")
    name_of = _names()
    stats = api().ask("GET", "/admin/stats")
    people = api().ask("GET", f"/users?{urlencode(query)}")
    unsettled = [
        job | {"owner": name_of(job["user_id"])}
        for status in ("outcome_unknown", "held")
        for job in api().ask("GET", f"/admin/videos?status={status}&limit=100")["items"]
    ]
    has_form = form in {_ADDING, *(job["id"] for job in unsettled)}
    return render_template(
        "admin/page.html",
        charts=_charts(stats),
        unsettled=unsettled,
        retention=api().ask("GET", "/admin/retention"),
        people=people["items"],
        query=query,
        older=people["next_cursor"] and {**query, "cursor": people["next_cursor"]},
        refusals={form if has_form else "": refusal} if refusal else {},
        adding=filled("email", "role") if form == _ADDING else {},
    )


def _charts(stats: dict[str, Any]) -> tuple[Chart, ...]:
    users, tokens, videos, spend = (
        stats[name] for name in ("users", "tokens", "videos", "spend_usd")
    )
    jobs = {name: count for name, count in videos.items() if name != "outcome_unknown"}
    made = {
        "texts": stats["texts"]["total"],
        "images": stats["images"]["total"],
        "videos": videos["completed"],
    }
    plain = users["total"] - users["admins"]
    spent = {"today": spend["day"], "this month": spend["month"], "ever": spend["total"]}
    return (
        amounts("Spend", spend["month"], "this month", spent),
        counts("Made", sum(made.values()), "in all", made),
        counts("Video jobs", jobs["queued"] + jobs["processing"], "in the making", jobs),
        counts(
            "Users", users["total"], "in all", {"plain users": plain, "admins": users["admins"]}
        ),
        counts("Tokens", tokens["active"], "active", tokens),
    )


def _names() -> Any:
    """Tells the addresses of users, and asks for each once."""

    @cache
    def name_of(user_id: str) -> str:
        try:
            return str(api().ask("GET", f"/users/{user_id}")["email"])
        except ApiRefused as error:
            if error.problem != "not_found":
                raise
            return "a removed account"

    return name_of


def _refused(error: ApiRefused, form: str = "") -> ResponseReturnValue:
    refusal = Refusal.of(error)
    return _page(refusal, form), refusal.status


def _back() -> ResponseReturnValue:
    """To the part of the list from which the form was sent."""
    return redirect(url_for("admin.show", **_asked("q", "cursor")))


def _asked(*names: str) -> dict[str, Any]:
    return {name: request.args[name] for name in names if request.args.get(name)}


def _is_oneself(user_id: UUID) -> bool:
    me = user()
    return me is not None and me.id == str(user_id)
