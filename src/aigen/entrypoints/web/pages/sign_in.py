"""Login, logout, registration."""

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from aigen.adapters.http.client import ApiRefused, ApiUnreachable
from aigen.entrypoints.web.backend import backend, guest_api
from aigen.entrypoints.web.errors import Refusal
from aigen.entrypoints.web.forms import filled, local_path
from aigen.entrypoints.web.signed_in import begin, end

sign_in = Blueprint("sign_in", __name__)


@sign_in.get("/login")
def login() -> ResponseReturnValue:
    if "tokens" in session:
        return redirect(local_path(request.args.get("next")))
    return render_template("sign_in/login.html", refusal=None, email="")


@sign_in.post("/login")
def log_in() -> ResponseReturnValue:
    try:
        begin(guest_api().ask("POST", "/auth/login", body=_credentials()))
    except ApiRefused as error:
        return _refused("sign_in/login.html", error)
    return redirect(local_path(request.values.get("next")))


@sign_in.post("/logout")
def log_out() -> ResponseReturnValue:
    """Ends the session here and at the API, its access tokens too."""
    tokens = session.get("tokens")
    end()
    flash("You are logged out.", "success")
    if tokens is not None:
        try:
            body = {"refresh_token": tokens["refresh_token"]}
            guest_api().ask("POST", "/auth/logout", body=body)
        except (ApiRefused, ApiUnreachable):
            session.pop("_flashes")
            flash("You are logged out here, but the service could not be told.", "warning")
    return redirect(url_for("sign_in.login"))


@sign_in.get("/register")
def registration() -> ResponseReturnValue:
    _must_be_open()
    return render_template("sign_in/register.html", refusal=None, email="")


@sign_in.post("/register")
def register() -> ResponseReturnValue:
    _must_be_open()
    try:
        guest_api().ask("POST", "/auth/register", body=_credentials())
        begin(guest_api().ask("POST", "/auth/login", body=_credentials()))
    except ApiRefused as error:
        return _refused("sign_in/register.html", error)
    flash("Welcome! Your account is ready.", "success")
    return redirect(url_for("dashboard.show"))


def _credentials() -> dict[str, str]:
    return {"email": "", "password": ""} | filled("email", "password")


def _refused(template: str, error: ApiRefused) -> ResponseReturnValue:
    refusal = Refusal.of(error)
    page = render_template(template, refusal=refusal, email=request.form.get("email", ""))
    headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}
    return page, refusal.status, headers


def _must_be_open() -> None:
    if not backend().installation.about().is_open:
        abort(404)
