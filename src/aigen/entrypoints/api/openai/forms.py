"""Bodies that come as JSON or, with files, as a form: both give the same fields."""

import json
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.inputs import data_url
from aigen.domain.model.media import INPUT_PICTURES, type_of

B = TypeVar("B", bound=BaseModel)

_MOST_PARTS = 100


def form_of(schema: type[BaseModel]) -> dict[str, Any]:
    """For the documentation: a route that takes both."""
    described = schema.model_json_schema()
    kinds = ("multipart/form-data", "application/json")
    content = {kind: {"schema": described} for kind in kinds}
    return {"requestBody": {"required": True, "content": content}}


async def body_of(request: Request, schema: type[B]) -> B:
    """The body as the schema has it. A file is a picture, and read as a data URL.

    Raises RequestValidationError, InvalidRequest, and 415 or 413 as the framework does.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    content = await request.body()
    if kind == "multipart/form-data":
        fields = _fields(content, options.get("boundary", ""))
    elif kind == "application/json":
        fields = _parsed(content)
    else:
        raise HTTPException(415)
    try:
        return schema.model_validate(fields)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        located = [{**part, "loc": ("body", *part["loc"])} for part in found]
        raise RequestValidationError(located) from error


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400) from error


def _fields(content: bytes, boundary: str) -> dict[str, Any]:
    """Fields by name; `image[]` may come several times, `a[b]` is the field b of a."""
    fields: dict[str, Any] = {}
    for name, value in _parts(content, boundary):
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
