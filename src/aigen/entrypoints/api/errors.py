"""Errors as `application/problem+json`: one table from kind to status, one place that answers."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import structlog
from attrs import frozen
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from aigen.domain.model import errors
from aigen.domain.model.errors import AigenError
from aigen.domain.model.media import MediaRejected
from aigen.entrypoints.api.openai.errors import error_response, is_openai
from aigen.entrypoints.api.schemas.operations import (
    BudgetOut,
    FieldErrorOut,
    OverBudgetOut,
    ProblemOut,
)
from aigen.ports.jobs import LeaseLost

logger = structlog.get_logger()

#: The status of each kind of error; a leaf has its kind's.
STATUS: Mapping[type[AigenError], HTTPStatus] = {
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.OverBudget: HTTPStatus.PAYMENT_REQUIRED,
    errors.Conflict: HTTPStatus.CONFLICT,
    LeaseLost: HTTPStatus.CONFLICT,
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    MediaRejected: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ProviderFault: HTTPStatus.BAD_GATEWAY,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.OutcomeUnknown: HTTPStatus.GATEWAY_TIMEOUT,
    errors.CannotStart: HTTPStatus.CONFLICT,
    AigenError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

#: What the framework refuses before any of our code runs: code and sentence by status.
_FRAMEWORK: Mapping[int, tuple[str, str]] = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_large", "The request is larger than this server takes."),
    415: ("unsupported_media_type", "Send the body as application/json."),
    416: ("range_not_satisfiable", "The file has no such range."),
    422: ("invalid_request", "The request cannot be read: send well-formed JSON in UTF-8."),
    500: ("internal", "Something failed on our side; the log has the details."),
}
PROBLEM = "application/problem+json"


@frozen(kw_only=True)
class Problem:
    """What an error says over HTTP."""

    status: int
    code: str
    detail: str
    errors: tuple[FieldErrorOut, ...] = ()
    headers: Mapping[str, str] = {}
    budget: BudgetOut | None = None

    @property
    def param(self) -> str | None:
        """The field that is wrong, if it is one."""
        steps = self.errors[0].loc[1:] if self.errors else []
        return ".".join(map(str, steps)) or None

    def out(self, request_id: str) -> ProblemOut:
        facts: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
            "errors": list(self.errors) or None,
        }
        if self.budget is not None:
            return OverBudgetOut(**facts, **dict(self.budget))
        return ProblemOut(**facts)

    def response(self, request: Request) -> Response:
        if is_openai(request.scope["path"]):
            return error_response(self.status, self.code, self.detail, self.param, self.headers)
        return Response(
            self.out(id_of(request)).model_dump_json(),
            int(self.status),
            headers=self.headers,
            media_type=PROBLEM,
        )


def id_of(request: Request) -> str:
    """The id by which the answer and the log name the request."""
    return str(request.scope.get("request_id", ""))


def problem_of(error: AigenError) -> Problem:
    """The problem that one of our errors is."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers: dict[str, str] = {}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.TooMany | errors.Unavailable | errors.IdempotencyInProgress):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after.total_seconds())))
    if isinstance(error, errors.OutcomeUnknown):
        # The `openai` SDK repeats 5xx by itself unless told not to, and would buy twice.
        headers["x-should-retry"] = "false"
    field_errors: tuple[FieldErrorOut, ...] = ()
    if isinstance(error, errors.InvalidRequest) and error.field is not None:
        field_errors = (FieldErrorOut(loc=["body", error.field], msg=error.detail),)
    budget = None
    if isinstance(error, errors.SpendLimitReached):
        budget = BudgetOut(
            scope=error.scope,
            limit_usd=error.limit_usd,
            left_usd=error.left_usd,
            renews_at=error.renews_at,
        )
    return Problem(
        status=status,
        code=error.code,
        detail=error.detail,
        errors=field_errors,
        headers=headers,
        budget=budget,
    )


def problem_of_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """The problem that a refusal of the framework is. It says 400 to what it cannot read."""
    status = 422 if status == HTTPStatus.BAD_REQUEST else status
    code, detail = _FRAMEWORK.get(status, ("invalid_request", HTTPStatus(status).phrase + "."))
    return Problem(status=status, code=code, detail=detail, headers=headers or {})


def install(app: FastAPI) -> None:
    """Let every error of the app leave as a problem."""
    # Starlette types a handler by the widest exception, so each is cast to it.
    app.add_exception_handler(AigenError, cast("Any", _on_our_error))
    app.add_exception_handler(RequestValidationError, cast("Any", _on_invalid_request))
    app.add_exception_handler(HTTPException, cast("Any", _on_framework_error))
    app.add_exception_handler(Exception, _on_bug)


async def _on_our_error(request: Request, error: AigenError) -> Response:
    problem = problem_of(error)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request_failed", exc_info=error, request_id=id_of(request))
    return problem.response(request)


async def _on_framework_error(request: Request, error: HTTPException) -> Response:
    return problem_of_status(error.status_code, error.headers).response(request)


async def _on_bug(request: Request, _: Exception) -> Response:
    """The framework lets the error itself pass on, to where it is logged."""
    return problem_of_status(HTTPStatus.INTERNAL_SERVER_ERROR).response(request)


async def _on_invalid_request(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    if found and all(part["loc"][0] == "path" for part in found):
        return problem_of(errors.NotFound()).response(request)
    if isinstance(error.body, bytes) and error.body:
        return problem_of_status(HTTPStatus.UNSUPPORTED_MEDIA_TYPE).response(request)
    field_errors = tuple(_field_error(part) for part in found)
    first = field_errors[0]
    where = ".".join(str(step) for step in first.loc[1:]) or str(first.loc[0])
    problem = Problem(
        status=422,
        code="invalid_request",
        detail=f"`{where}`: {first.msg}.",
        errors=field_errors,
    )
    return problem.response(request)


def _field_error(part: Mapping[str, Any]) -> FieldErrorOut:
    """The place and the reason, without what was sent: it may be a password."""
    loc = [step if isinstance(step, int) else _printable(str(step)) for step in part["loc"]]
    reason = str(part["msg"]).removeprefix("Value error, ")
    return FieldErrorOut(loc=loc, msg=_printable(reason))


def _printable(text: str) -> str:
    """A name that a client made up may hold half a surrogate pair, which JSON cannot carry."""
    return text.encode("utf-8", errors="replace").decode("utf-8")[:200]
