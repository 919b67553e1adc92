"""Pictures that a request builds on: uploaded, by their address, or the user's own."""

import base64
import re
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID

from attrs import frozen
from flask import request

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.backend import backend
from aigen.entrypoints.web.forms import filled
from aigen.entrypoints.web.signed_in import api

#: What pictures of the types that the API takes begin with.
_SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)

#: Of a request to the API, what is left for everything but pictures.
_ROOM_FOR_WORDS = 2**20


@frozen(kw_only=True)
class OwnPicture:
    """One of the user's pictures, as forms name it: `image/<id>/<place>`, counted from 1, or
    `video/<id>` for the picture with which a video begins."""

    kind: str
    item_id: str
    place: int = 1

    @classmethod
    def named(cls, text: str) -> Self | None:
        """The picture of this name; None if it is no such name."""
        kind, _, rest = text.partition("/")
        item_id, _, place = rest.partition("/")
        try:
            is_name = kind in {"image", "video"} and str(UUID(item_id)) == item_id
            return cls(kind=kind, item_id=item_id, place=int(place or 1)) if is_name else None
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.kind}/{self.item_id}" + (f"/{self.place}" if self.kind == "image" else "")

    def address(self) -> str | None:
        """Where it can be seen at the moment; None if there is none. Raises as the API does."""
        item = api().ask("GET", f"/generate/{self.kind}/{self.item_id}")
        return picture_address(item, self.place) if self.kind == "image" else item["image_url"]


def picture_address(image: dict[str, Any], place: int) -> str | None:
    """Where one of an image's pictures can be seen; None if there is none at this place."""
    pictures = image["images"]
    return pictures[place - 1]["url"] if 1 <= place <= len(pictures) else None


def is_stored(address: str) -> bool:
    """Whether an address is a link to the API's own media."""
    origin = backend().installation.about().media_origin
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" == origin


def largest() -> int:
    """How many bytes a picture may have that is sent on as data, 0 if that is not known."""
    room = backend().installation.about().max_body - _ROOM_FOR_WORDS
    return max(0, room) * 3 // 4


def sent_picture(name: str) -> str | None:
    """The picture of a form, as the API takes it: from the file, the address, or the user's own,
    whatever is given first. The fields are `<name>_file`, `<name>_url` and `picture`.

    Raises ApiRefused with a sentence for the field, and as the API does.
    """
    if file := request.files.get(f"{name}_file"):
        return _as_data(file.stream.read(), f"{name}_file")
    if address := filled(f"{name}_url"):
        return address[f"{name}_url"].strip()
    own = OwnPicture.named(request.form.get("picture", "")) if name == "image" else None
    if own is None:
        return None
    found = own.address()
    if found is None:
        raise _refused("picture", "This picture is not there any more.")
    if not is_stored(found):
        return found
    return _as_data(b"".join(backend().api.download(found)), "picture")


def _as_data(content: bytes, field: str) -> str:
    if not content:
        raise _refused(field, "This file is empty.")
    types = (media_type for signature, media_type in _SIGNATURES if signature.match(content))
    media_type = next(types, None)
    if media_type is None:
        raise _refused(field, "Take a PNG, JPEG or WebP picture.")
    limit = largest()
    if limit and len(content) > limit:
        raise _refused(field, f"This picture is too large: it may have up to {limit // 2**20} MB.")
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _refused(field: str, sentence: str) -> ApiRefused:
    """As the API would refuse it."""
    return ApiRefused(sentence, "invalid_request", 422, errors={field: sentence.removesuffix(".")})
