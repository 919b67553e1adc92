"""The first page: what was made lately, and what is being made."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from aigen.entrypoints.web.signed_in import api

dashboard = Blueprint("dashboard", __name__)

_UNFINISHED = {"queued", "processing"}


@dashboard.get("/")
def show() -> ResponseReturnValue:
    texts, images, videos = (
        api().ask("GET", f"/generate/{kind}?limit={limit}")["items"]
        for kind, limit in (("text", 3), ("image", 4), ("video", 20))
    )
    unfinished = [job for job in videos if job["status"] in _UNFINISHED]
    return render_template(
        "dashboard.html",
        texts=texts,
        images=images,
        videos=[job for job in videos if job["status"] not in _UNFINISHED][:4],
        unfinished=unfinished,
    )
