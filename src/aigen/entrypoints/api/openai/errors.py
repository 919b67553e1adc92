"""Refusals in OpenAI's shape, for everything under /v1."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from aigen.entrypoints.api.schemas.values import Answer

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    429: "rate_limit_error",
}


class ErrorDetailOut(Answer):
    """`code` is stable, `message` one sentence that a user can act on, `param` the field that is
    wrong."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorOut(Answer):
    error: ErrorDetailOut


#: For the documentation: what every route under /v1 may answer besides its own.
ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorOut, "description": "The request was refused; `code` says why."},
    "5XX": {"model": ErrorOut, "description": "It failed here or at the provider."},
}


def is_openai(path: str) -> bool:
    """Whether whoever asks here speaks OpenAI's words."""
    return path == "/v1" or path.startswith("/v1/")


def error_out(status: int, code: str, message: str, param: str | None = None) -> ErrorOut:
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    kind = _TYPES.get(status, kind)
    return ErrorOut(error=ErrorDetailOut(message=message, type=kind, param=param, code=code))


def error_response(
    status: int, code: str, message: str, param: str | None, headers: Mapping[str, str]
) -> Response:
    """The refusal, with 400 for what cannot be used.

    OpenAI's SDKs repeat 409 and 5xx by themselves, which may buy twice: whoever may come again is
    told when, and all others not to.
    """
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        status = HTTPStatus.BAD_REQUEST
    retry = {} if "Retry-After" in headers else {"x-should-retry": "false"}
    return Response(
        error_out(status, code, message, param).model_dump_json(),
        int(status),
        headers={**headers, **retry},
        media_type="application/json",
    )
