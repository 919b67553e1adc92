"""Bodies that come as JSON or, with files, as a form: both give the same fields."""

import json
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

B = TypeVar("B", bound=BaseModel)


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
    described = request.headers.get("content-type", "")
    kind = described.partition(";")[0].strip().lower()
    content = await request.body()
    if kind == "multipart/form-data":
        # Two megabytes that most installations need not load.
        from aigen.entrypoints.api.openai.multipart import fields_of  # noqa: PLC0415

        fields = fields_of(content, described)
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
