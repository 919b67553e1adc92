"""Videos: ordered from words or a picture, watched while they are made, and played."""

from datetime import datetime
from statistics import median
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from attrs import asdict
from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.choices import VIDEO_FIELDS
from aigen.entrypoints.web.errors import Refusal, answers_json
from aigen.entrypoints.web.forms import filled, key_after, local_path, new_key, with_numbers
from aigen.entrypoints.web.generating import generate
from aigen.entrypoints.web.media_form import MediaForm
from aigen.entrypoints.web.pictures import OwnPicture, is_stored, sent_picture
from aigen.entrypoints.web.signed_in import api

videos = Blueprint("videos", __name__)

_FORM = MediaForm(kind="video", fields=VIDEO_FIELDS, numbers=("duration",))
_FIELDS = (
    *_FORM.priced,
    *("prompt", "generate_audio", "seed", "image_url", "last_image_url", "picture"),
)
_REMEMBERED = 20
_TRUE = {"true", "on", "1", "yes"}


@videos.get("/video")
def show() -> ResponseReturnValue:
    """`?tab=image` begins with a picture, `?picture=` with one of the user's own, `?reuse=` with
    what a video was made from, `?after=` with the end of a video, which scripts can find."""
    draft = {name: request.args[name] for name in _FIELDS if request.args.get(name)}
    if reused := request.args.get("reuse"):
        draft |= _made_from(reused)
    after = request.args.get("after", "")
    before = _made_from(after) if after else {}
    draft |= {name: before[name] for name in _FORM.priced if name in before}
    from_image = (
        bool(before)
        or request.args.get("tab") == "image"
        or not {"picture", "image_url"}.isdisjoint(draft)
    )
    return _page(draft, from_image=from_image, after=after if before else "")


@videos.post("/video")
def submit() -> ResponseReturnValue:
    """Order a video, and go where it can be watched being made."""
    from_image = request.form.get("tab") == "image"
    try:
        picture = sent_picture("image")
        body = _body()
        if picture or from_image:
            from_image = True
            body |= _pictures(picture)
        job = generate(f"/generate/video{'/from-image' if from_image else ''}", body)
    except ApiRefused as error:
        refusal = Refusal.of(error)
        key = key_after(error.problem)
        return _page(filled(*_FIELDS), refusal, from_image=from_image, key=key), refusal.status
    return redirect(url_for("videos.one", video_id=job["id"]))


@videos.get("/video/price")
@answers_json
def price() -> ResponseReturnValue:
    """About what a request with these fields will cost."""
    return jsonify(asdict(_FORM.quote(request.args)))


@videos.get("/video/<uuid:video_id>")
def one(video_id: UUID) -> ResponseReturnValue:
    job = _FORM.item(video_id)
    is_open = job["status"] in {"queued", "processing"}
    return render_template(
        "videos/one.html",
        job=job,
        is_open=is_open,
        has_own_picture=is_stored(job["image_url"] or ""),
        usual=_usual_seconds(job["model"]) if is_open else None,
        key=new_key(),
    )


@videos.get("/generate/video/<uuid:video_id>/status")
@answers_json
def status(video_id: UUID) -> ResponseReturnValue:
    return jsonify(api().ask("GET", f"/generate/video/{video_id}/status"))


@videos.post("/generate/video/<uuid:video_id>/cancel")
def cancel(video_id: UUID) -> ResponseReturnValue:
    try:
        job = api().ask("POST", f"/generate/video/{video_id}/cancel")
    except ApiRefused as error:
        if error.problem != "job_finished":
            raise
        flash("It was finished before it could be cancelled.", "info")
    else:
        charged = " The provider may still charge for it." if job["may_be_charged"] else ""
        flash(f"The video has been cancelled.{charged}", "success")
    page = url_for("videos.one", video_id=video_id)
    return redirect(local_path(request.form.get("next") or page))


@videos.post("/generate/video/<uuid:video_id>/retry")
def retry(video_id: UUID) -> ResponseReturnValue:
    """A new job that asks for the same."""
    try:
        job = generate(f"/generate/video/{video_id}/retry", {})
    except ApiRefused as error:
        if error.problem != "job_not_retryable":
            raise
        flash("Only what has failed or was cancelled can be tried again.", "info")
        return redirect(url_for("videos.one", video_id=video_id))
    return redirect(url_for("videos.one", video_id=job["id"]))


def _body() -> dict[str, Any]:
    """What the form asks for, but for the pictures."""
    given = filled("prompt", *_FORM.priced, "seed")
    body = {"model": "", "prompt": ""} | with_numbers(given, *_FORM.numbers, "seed")
    if sound := request.form.get("generate_audio"):
        body["generate_audio"] = sound in _TRUE
    return body


def _pictures(first: str | None) -> dict[str, str]:
    if first is None:
        missing = "Choose a picture to begin with: a file, or its address"
        raise ApiRefused(f"{missing}.", "invalid_request", 422, errors={"image_file": missing})
    last = sent_picture("last_image")
    return {"image_url": first} | ({"last_image_url": last} if last else {})


def _page(
    draft: dict[str, str],
    refusal: Refusal | None = None,
    *,
    from_image: bool,
    key: str = "",
    after: str = "",
) -> str:
    source = OwnPicture.named(draft.get("picture", "")) if from_image else None
    return render_template(
        "videos/page.html",
        **_FORM.shown(draft, source, with_picture=from_image),
        key=key or new_key(),
        refusal=refusal,
        from_image=from_image,
        after=after,
    )


def _made_from(video_id: str) -> dict[str, str]:
    """What a video of the user's was made from; nothing if there is none."""
    job = _FORM.item_if_any(video_id)
    if job is None:
        return {}
    draft = {name: str(job[name]) for name in ("model", "prompt", *VIDEO_FIELDS) if job[name]}
    if job["image_url"]:
        is_ours = is_stored(job["image_url"])
        draft["picture" if is_ours else "image_url"] = (
            f"video/{job['id']}" if is_ours else job["image_url"]
        )
    return draft


def _usual_seconds(model: str) -> int | None:
    """How long the user's own videos of this model took; None if there is none."""
    query = urlencode({"model": model, "status": "completed", "limit": _REMEMBERED})
    times = [_seconds_taken(job) for job in api().ask("GET", f"/generate/video?{query}")["items"]]
    return max(1, round(median(times))) if times else None


def _seconds_taken(job: dict[str, Any]) -> float:
    ended, began = (datetime.fromisoformat(job[at]) for at in ("finished_at", "created_at"))
    return (ended - began).total_seconds()
