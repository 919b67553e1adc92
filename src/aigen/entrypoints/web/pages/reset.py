"""A new password by reset link."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.backend import guest_api
from aigen.entrypoints.web.errors import Refusal
from aigen.entrypoints.web.forms import filled
from aigen.entrypoints.web.signed_in import end

reset = Blueprint("reset", __name__)


@reset.get("/reset/<token>")
def show(token: str) -> ResponseReturnValue:
    return render_template("reset.html", refusal=None, token=token)


@reset.post("/reset/<token>")
def set_password(token: str) -> ResponseReturnValue:
    body = {"token": token, "new_password": ""} | filled("new_password")
    try:
        guest_api().ask("POST", "/auth/reset", body=body)
    except ApiRefused as error:
        refusal = Refusal.of(error)
        return render_template("reset.html", refusal=refusal, token=token), refusal.status
    end()
    flash("Your new password is set, and all your sessions have ended. Log in with it.", "success")
    return redirect(url_for("sign_in.login"))
