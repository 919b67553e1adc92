"""The pictures in an answer: written into it, or to be fetched from an address."""

import asyncio
import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from aigen.adapters.openrouter.content import Content
from aigen.adapters.openrouter.wire import items, mapping
from aigen.domain.model.limits import MOST_PICTURES
from aigen.domain.model.media import Picture
from aigen.ports.provider import ContentUnavailable

_LARGEST = 64 * 1024 * 1024
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_DATA_URL = re.compile(r"data:[^,]{0,200}?(;\s*base64)?,", re.IGNORECASE)
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


def sources_in_chat(images: Iterable[object]) -> list[str]:
    """Those of a chat message: `{"image_url": {"url": …}}`, whatever its `type` says."""
    return _texts(_source_in_part(image) for image in images)


def sources_in_data(body: Mapping[str, Any]) -> list[str]:
    """Those of an image route: `{"data": [{"b64_json" or "url": …}]}`."""
    entries = map(mapping, items(body.get("data")))
    return _texts(entry.get("b64_json") or entry.get("url") for entry in entries)


async def pictures_of(
    sources: Iterable[str], content: Content, deadline: float
) -> tuple[Picture, ...]:
    """Those that can be had. All were paid for, so the loss of one does not lose the others."""
    found = await asyncio.gather(*(_picture(source, content, deadline) for source in sources))
    return tuple(Picture(content=picture) for picture in found if picture)


async def _picture(source: str, content: Content, deadline: float) -> bytes | None:
    if _ADDRESS.match(source):
        return await _fetched(source, content, deadline)
    head = _DATA_URL.match(source)
    if head is not None and not head[1]:
        return unquote_to_bytes(source[head.end() :].encode(errors="replace"))
    return decoded(source[head.end() :] if head else source)


async def _fetched(address: str, content: Content, deadline: float) -> bytes | None:
    body = bytearray()
    try:
        async with content.opened(address, deadline) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > _LARGEST:
                    return None
    except ContentUnavailable:
        return None
    return bytes(body)


def decoded(text: str) -> bytes | None:
    """Base64 of either alphabet, with or without white space and padding; None if it is none."""
    data = text.encode("ascii", "ignore").translate(_STANDARD_ALPHABET, b" \t\r\n=")
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4))
    except ValueError:
        return None


def _source_in_part(image: object) -> object:
    part = mapping(image)
    address = part.get("image_url")
    return mapping(address).get("url") or address or part.get("b64_json") or part.get("url")


def _texts(values: Iterable[object]) -> list[str]:
    return [value for value in values if isinstance(value, str) and value][:MOST_PICTURES]
