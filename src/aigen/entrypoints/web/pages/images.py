"""Images: drawn from words, edited from a picture, and looked at."""

from typing import Any
from uuid import UUID

from attrs import asdict
from flask import Blueprint, get_template_attribute, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.choices import IMAGE_FIELDS
from aigen.entrypoints.web.errors import Refusal, answers_json
from aigen.entrypoints.web.forms import filled, key_after, new_key, with_numbers
from aigen.entrypoints.web.generating import generate
from aigen.entrypoints.web.media_form import MediaForm
from aigen.entrypoints.web.pictures import OwnPicture, is_stored, sent_picture

images = Blueprint("images", __name__)

_FORM = MediaForm(kind="image", fields=IMAGE_FIELDS, numbers=("n",))
_FIELDS = (*_FORM.priced, "prompt", "image_url", "picture")


@images.get("/image")
def show() -> ResponseReturnValue:
    """`?picture=` edits one of the user's own, `?reuse=` takes the words of an image again."""
    draft = {name: request.args[name] for name in _FIELDS if request.args.get(name)}
    if reused := request.args.get("reuse"):
        draft |= _made_from(reused)
    return _page(draft)


@images.post("/image")
def draw() -> ResponseReturnValue:
    """One plain post, for browsers without JavaScript: the page with the pictures, once they are
    there. A reload sends the same key and so buys nothing."""
    try:
        made = _drawn()
    except ApiRefused as error:
        refusal = Refusal.of(error)
        return _page(filled(*_FIELDS), refusal, key=key_after(error.problem)), refusal.status
    return _page(filled(*_FIELDS), made=made)


@images.post("/image/make")
@answers_json
def make() -> ResponseReturnValue:
    """The same for scripts: the pictures as HTML, and the key for the next ones."""
    result = get_template_attribute("images/parts.html", "result")(_drawn())
    return jsonify(result=result, idempotency_key=new_key())


@images.get("/image/price")
@answers_json
def price() -> ResponseReturnValue:
    """About what a request with these fields will cost."""
    return jsonify(asdict(_FORM.quote(request.args)))


@images.get("/image/<uuid:image_id>")
def one(image_id: UUID) -> ResponseReturnValue:
    return render_template("images/one.html", image=_FORM.item(image_id))


@images.get("/generate/image/<uuid:image_id>")
@answers_json
def as_json(image_id: UUID) -> ResponseReturnValue:
    return jsonify(_FORM.item(image_id))


def _drawn() -> dict[str, Any]:
    """What the API makes of the form. Raises as it does."""
    body = {"model": "", "prompt": ""} | with_numbers(
        filled("prompt", *_FORM.priced), *_FORM.numbers
    )
    if picture := sent_picture("image"):
        body["image_url"] = picture
    made: dict[str, Any] = generate("/generate/image", body)
    return made


def _page(
    draft: dict[str, str],
    refusal: Refusal | None = None,
    *,
    made: dict[str, Any] | None = None,
    key: str = "",
) -> str:
    source = OwnPicture.named(draft.get("picture", ""))
    shown = _FORM.shown(draft, source, with_picture=source is not None)
    if made is not None:
        shown["lately"] = [image for image in shown["lately"] if image["id"] != made["id"]]
    return render_template(
        "images/page.html", **shown, key=key or new_key(), refusal=refusal, made=made
    )


def _made_from(image_id: str) -> dict[str, str]:
    """Model, prompt and picture of an image of the user's; nothing if there is none."""
    image = _FORM.item_if_any(image_id)
    if image is None:
        return {}
    draft = {"model": image["model"], "prompt": image["prompt"]}
    address = image["image_url"]
    if address and not is_stored(address):
        draft["image_url"] = address
    return draft
