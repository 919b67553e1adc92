"""Images: drawn from words, edited from a picture, and looked at."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from attrs import asdict
from flask import Blueprint, get_template_attribute, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.backend import backend
from aigen.entrypoints.web.choices import IMAGE_FIELDS, all_choices, by_model
from aigen.entrypoints.web.errors import Refusal, answers_json
from aigen.entrypoints.web.forms import filled, key_after, new_key, with_numbers
from aigen.entrypoints.web.generating import generate
from aigen.entrypoints.web.models import Offer
from aigen.entrypoints.web.pictures import OwnPicture, is_stored, largest, sent_picture
from aigen.entrypoints.web.quotes import Quote, quote
from aigen.entrypoints.web.signed_in import api

images = Blueprint("images", __name__)

_PRICED = ("model", *IMAGE_FIELDS, "n")
_FIELDS = (*_PRICED, "prompt", "image_url", "picture")
_LATELY = 6


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
    return jsonify(asdict(_quote(request.args)))


@images.get("/image/<uuid:image_id>")
def one(image_id: UUID) -> ResponseReturnValue:
    return render_template("images/one.html", image=_image(image_id))


@images.get("/generate/image/<uuid:image_id>")
@answers_json
def as_json(image_id: UUID) -> ResponseReturnValue:
    return jsonify(_image(image_id))


def _image(image_id: UUID | str) -> dict[str, Any]:
    found: dict[str, Any] = api().ask("GET", f"/generate/image/{image_id}")
    return found


def _drawn() -> dict[str, Any]:
    """What the API makes of the form. Raises as it does."""
    body = {"model": "", "prompt": ""} | with_numbers(filled("prompt", *_PRICED), "n")
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
    lately = api().ask("GET", f"/generate/image?limit={_LATELY}")["items"]
    source = OwnPicture.named(draft.get("picture", ""))
    offer = _offer().taking_pictures if source else _offer()
    draft["model"] = offer.preferred(draft.get("model", ""), *(image["model"] for image in lately))
    return render_template(
        "images/page.html",
        draft=draft,
        key=key or new_key(),
        refusal=refusal,
        made=made,
        lately=[image for image in lately if made is None or image["id"] != made["id"]],
        source=source,
        source_address=source and source.address(),
        offer=offer,
        choices=all_choices(offer.items, IMAGE_FIELDS),
        by_model=by_model(offer.items, IMAGE_FIELDS),
        quote=_quote(draft),
        largest=largest(),
    )


def _made_from(image_id: str) -> dict[str, str]:
    """Model, prompt and picture of an image of the user's; nothing if there is none."""
    try:
        image = _image(str(UUID(image_id)))
    except ValueError:
        return {}
    except ApiRefused as error:
        if error.problem != "not_found":
            raise
        return {}
    draft = {"model": image["model"], "prompt": image["prompt"]}
    address = image["image_url"]
    if address and not is_stored(address):
        draft["image_url"] = address
    return draft


def _quote(wanted: Mapping[str, str]) -> Quote:
    given = {name: wanted[name] for name in _PRICED if wanted.get(name)}
    return quote("image", with_numbers(given, "n"))


def _offer() -> Offer:
    return backend().catalogue.offer("image", api().ask)
