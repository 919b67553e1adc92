"""The gallery: images and videos together, newest first; downloaded, deleted, looked for."""

import re
import unicodedata
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    get_template_attribute,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.backend import backend
from aigen.entrypoints.web.errors import Refusal
from aigen.entrypoints.web.failures import failure, next_step
from aigen.entrypoints.web.forms import local_path
from aigen.entrypoints.web.pictures import picture_address
from aigen.entrypoints.web.shapes import shape
from aigen.entrypoints.web.signed_in import api
from aigen.entrypoints.web.wording import counted

gallery = Blueprint("gallery", __name__)
gallery.add_app_template_filter(failure)
gallery.add_app_template_filter(next_step)
gallery.add_app_template_filter(shape)

KINDS = ("image", "video")
#: What one can look for, the most usual first.
_STATUSES = ("completed", "processing", "queued", "failed", "cancelled")
#: What the API narrows a list by.
_FILTERS = ("q", "model", "status", "since", "until")
_PAGE = 24
#: As many as the API takes in one request.
_MOST_AT_ONCE = 200
_ITEM = "/gallery/<any(image, video):kind>/<uuid:item_id>"
_LONGEST_NAME = 60


@gallery.get("/gallery")
def show() -> ResponseReturnValue:
    """`?kind=`, `?q=`, `?model=`, `?status=`, `?since=` and `?until=` narrow it, `?cursor=` goes
    on."""
    wanted = {
        name: value for name in ("kind", *_FILTERS) if (value := request.args.get(name, "").strip())
    }
    refusal = None
    try:
        items, cursor = _items(wanted, request.args.get("cursor", ""))
    except ApiRefused as error:
        if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        items, cursor, refusal = [], None, Refusal.of(error)
    return render_template(
        "gallery/page.html",
        items=items,
        wanted=wanted,
        refusal=refusal,
        older=cursor and {**wanted, "cursor": cursor},
        is_first="cursor" not in request.args,
        models=_models(),
        statuses=_STATUSES,
    )


@gallery.get(f"{_ITEM}/card")
def card(kind: str, item_id: UUID) -> ResponseReturnValue:
    """A card on its own, for scripts that keep it up to date."""
    item = _item(kind, item_id)
    shown = get_template_attribute("gallery/parts.html", "card")
    return str(shown(kind, item, "/gallery", can_be_chosen=True))


@gallery.get(f"{_ITEM}/file", defaults={"place": 1})
@gallery.get(f"{_ITEM}/file/<int:place>")
def file(kind: str, item_id: UUID, place: int) -> ResponseReturnValue:
    """To the file, by a link that is fresh: those on a page expire after minutes."""
    return redirect(_link(_item(kind, item_id), place))


@gallery.get(f"{_ITEM}/download", defaults={"place": 1})
@gallery.get(f"{_ITEM}/download/<int:place>")
def download(kind: str, item_id: UUID, place: int) -> ResponseReturnValue:
    """The file under a name that says what it is, wherever it is stored."""
    item = _item(kind, item_id)
    content = backend().api.download(_link(item, place))
    response = Response(iter(content), content_type=content.media_type)
    if content.length:
        response.headers["Content-Length"] = content.length
    names = _file_names(item, place, content.media_type)
    response.headers.set("Content-Disposition", "attachment", **names)
    response.call_on_close(content.close)
    return response


@gallery.post(f"{_ITEM}/delete")
def delete(kind: str, item_id: UUID) -> ResponseReturnValue:
    api().ask("DELETE", f"/generate/{kind}/{item_id}")
    flash(f"The {kind} has been deleted.", "success")
    return _back()


@gallery.post("/gallery/delete")
def delete_many() -> ResponseReturnValue:
    """Everything that was ticked; each `item` is `<kind>/<id>`."""
    deleted, unfinished = 0, 0
    for ids in _in_portions(_ticked()):
        answer = api().ask("POST", "/generate/delete", body={"ids": ids})
        deleted += len(answer["deleted"])
        unfinished += sum(kept["code"] == "job_unfinished" for kept in answer["kept"])
    if deleted:
        have = "has" if deleted == 1 else "have"
        flash(f"{counted(deleted, 'item')} {have} been deleted.", "success")
    if unfinished:
        said = f"{counted(unfinished, 'video')} still in the making: cancel before deleting."
        flash(said, "warning")
    if not deleted and not unfinished:
        flash("Nothing was ticked, so nothing was deleted.", "info")
    return _back()


@gallery.post("/gallery/download")
def download_many() -> ResponseReturnValue:
    """Everything that was ticked as one zip, passed on as it comes."""
    ids = _ticked()
    if not 1 <= len(ids) <= _MOST_AT_ONCE:
        flash(f"Tick from 1 to {_MOST_AT_ONCE} items to download them.", "info")
        return _back()
    try:
        content = api().file("/generate/archive", body={"ids": ids})
    except ApiRefused as error:
        if error.problem != "not_found":
            raise
        flash(error.detail, "warning")
        return _back()
    response = Response(iter(content), content_type=content.media_type)
    response.headers["Content-Disposition"] = content.disposition
    response.call_on_close(content.close)
    return response


def tools(kind: str, item_id: str, has_media: bool, is_open: bool) -> Markup:
    """What can be done with an item in a grid; the same for everybody, and as long as it is as it
    is."""
    shown = get_template_attribute("gallery/parts.html", "tools")
    return Markup(shown(kind, item_id, has_media, is_open))  # noqa: S704 - a template has escaped it


def _back() -> ResponseReturnValue:
    """To the page that has the form."""
    return redirect(local_path(request.form.get("next") or url_for("gallery.show")))


def _items(wanted: dict[str, str], cursor: str) -> tuple[list[dict[str, Any]], str | None]:
    """A page, and where the next begins. There is nothing of a kind or status that is none."""
    if wanted.get("kind") not in {None, *KINDS} or wanted.get("status") not in {None, *_STATUSES}:
        return [], None
    query: dict[str, Any] = {name: wanted[name] for name in _FILTERS if name in wanted}
    query |= {"kind": wanted.get("kind") or KINDS, "limit": _PAGE}
    query |= {"cursor": cursor} if cursor else {}
    page = api().ask("GET", f"/generate?{urlencode(query, doseq=True)}")
    return page["items"], page["next_cursor"]


def _item(kind: str, item_id: UUID) -> dict[str, Any]:
    return {**api().ask("GET", f"/generate/{kind}/{item_id}"), "kind": kind}


def _link(item: dict[str, Any], place: int) -> str:
    link = picture_address(item, place) if item["kind"] == "image" else item["video_url"]
    if not link or (item["kind"] == "video" and place != 1):
        abort(404)
    return str(link)


def _file_names(item: dict[str, Any], place: int, media_type: str) -> dict[str, str]:
    """As in `a-fox-in-the-snow-2.png`; with other letters than English ones, in two spellings."""
    words = re.sub(r"\W+", "-", item["prompt"][: 2 * _LONGEST_NAME].lower())
    stem = words[:_LONGEST_NAME].strip("-") or item["kind"]
    extension = media_type.partition(";")[0].rpartition("/")[2].replace("jpeg", "jpg")
    number = f"-{place}" if item["kind"] == "image" and len(item["images"]) > 1 else ""
    name = f"{stem}{number}.{extension}"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    if plain == name:
        return {"filename": name}
    return {"filename": plain, "filename*": f"UTF-8''{quote(name)}"}


def _ticked() -> list[str]:
    """The ids of what was ticked."""
    found = []
    for value in request.form.getlist("item"):
        kind, _, item_id = value.partition("/")
        try:
            if kind in KINDS:
                found.append(str(UUID(item_id)))
        except ValueError:
            continue
    return found


def _in_portions(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _MOST_AT_ONCE):
        yield ids[start : start + _MOST_AT_ONCE]


def _models() -> list[dict[str, Any]]:
    """Every model that makes images or videos, by name."""
    offers = (backend().catalogue.offer(kind, api().ask) for kind in KINDS)
    return sorted((model for offer in offers for model in offer.items), key=lambda m: m["name"])
