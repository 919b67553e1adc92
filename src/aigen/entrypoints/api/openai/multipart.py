"""Forms with files, as OpenAI's clients send pictures."""

from typing import Any

from starlette.exceptions import HTTPException
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.inputs import data_url
from aigen.domain.model.media import INPUT_PICTURES, type_of

_MOST_PARTS = 100


def fields_of(content: bytes, content_type: str) -> dict[str, Any]:
    """Fields by name; `image[]` may come several times, `a[b]` is the field b of a.

    Raises InvalidRequest, and 400 or 413 as the framework does.
    """
    _, options = parse_options_header(content_type)
    fields: dict[str, Any] = {}
    for name, value in _parts(content, options.get("boundary", "")):
        outer, bracket, inner = name.partition("[")
        inner = inner.removesuffix("]")
        before = fields.get(outer)
        if bracket and not inner:
            fields[outer] = [*(before if isinstance(before, list) else []), value]
        elif bracket:
            fields[outer] = {**(before if isinstance(before, dict) else {}), inner: value}
        else:
            fields[name] = value
    return fields


def _parts(content: bytes, boundary: str) -> list[tuple[str, str]]:
    if not boundary:
        raise HTTPException(400)
    try:
        decoder = MultipartDecoder(boundary.encode(), max_parts=_MOST_PARTS)
        decoder.receive_data(content)
        decoder.receive_data(None)
        found: list[tuple[str, bool, bytearray]] = []
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            if isinstance(event, Field | File):
                found.append((event.name or "", isinstance(event, File), bytearray()))
            elif isinstance(event, Data):
                found[-1][2].extend(event.data)
    except RequestEntityTooLarge as error:  # too many parts
        raise HTTPException(413) from error
    except ValueError as error:
        raise HTTPException(400) from error
    return [
        (name, _picture(name, bytes(value)) if is_file else value.decode(errors="replace"))
        for name, is_file, value in found
    ]


def _picture(name: str, content: bytes) -> str:
    media_type = type_of(content)
    if media_type not in INPUT_PICTURES:
        field = name.partition("[")[0]
        raise InvalidRequest(f"`{field}` must be a PNG, JPEG or WebP picture.", field=field)
    return data_url(content, media_type.value)
