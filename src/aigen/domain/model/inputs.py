"""Pictures that a request builds on: which addresses are handed on, which data is taken."""

import base64
import re
from contextlib import suppress
from urllib.parse import urlsplit

from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.hosts import is_public_host
from aigen.domain.model.limits import can_be_stored
from aigen.domain.model.media import Picture

_LONGEST_ADDRESS = 4096
_DATA = re.compile(r"data:image/(?:png|jpeg|jpg|webp);base64,", re.IGNORECASE)


def parse_input(field: str, text: str) -> str | Picture:
    """An https address to hand on, or the picture that a data URL carries.

    Raises InvalidRequest for anything else. The address is never fetched by us; it must not
    name a private or loopback host, which a careless provider might reach.
    """
    if text[:5].lower() == "data:":
        return _picture(field, text)
    if not _is_public_https(text):
        raise InvalidRequest(
            f"`{field}` must be a public https address without user name or password, or a data "
            "URL with a PNG, JPEG or WebP picture.",
            field=field,
        )
    return text


def data_url(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _picture(field: str, text: str) -> Picture:
    content = None
    if head := _DATA.match(text):
        with suppress(ValueError):
            content = base64.b64decode(text[head.end() :], validate=True)
    if not content:
        raise InvalidRequest(
            f"`{field}` is a data URL that does not hold a PNG, JPEG or WebP picture in base64.",
            field=field,
        )
    return Picture(content=content)


def _is_public_https(text: str) -> bool:
    if len(text) > _LONGEST_ADDRESS or not can_be_stored(text) or re.search(r"[\s\\]", text):
        return False
    try:
        address = urlsplit(text)
        host = address.hostname or ""
        has_login = address.username is not None or address.password is not None
        _ = address.port  # raises for a port that is none
    except ValueError:
        return False
    return address.scheme.lower() == "https" and not has_login and is_public_host(host)
