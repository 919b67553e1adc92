"""Errors, as pages in the site's design or as JSON for scripts."""

from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from attrs import field, frozen
from flask import (
    Flask,
    Response,
    current_app,
    flash,
    g,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RoutingException
from werkzeug.wrappers import Response as AnyResponse

from aigen.adapters.http.client import ApiRefused, ApiUnreachable
from aigen.entrypoints.web.forms import key_after
from aigen.entrypoints.web.signed_in import NotSignedIn, SessionEnded, end
from aigen.entrypoints.web.wording import duration

logger = structlog.get_logger()

View = TypeVar("View", bound=Callable[..., Any])

_ENDED = "Your session has ended. Log in again to go on."

#: Title and sentence by status; what is raised with a sentence of its own keeps that.
_WORDS = {
    400: ("That did not work", "The request could not be understood."),
    403: ("Not for you", "You may not see this page. Ask an administrator if you should."),
    404: ("Nothing here", "This page does not exist, or it is not yours."),
    405: ("Not this way", "This address is not a page to be opened. Go back and try the form."),
    413: ("Too large", "What you sent is larger than this server takes."),
    429: ("One moment", "There were too many requests. Wait a little and try again."),
    500: ("Something broke", "That was our fault, not yours. The log has the details."),
    502: ("The provider failed", "The provider did not give a usable answer."),
    503: (
        "Not reachable",
        "The service cannot be reached at the moment. You are still logged in: try again shortly.",
    ),
}


@frozen(kw_only=True)
class Refusal:
    """What a form shows of an error: a sentence, and what is wrong with single fields."""

    status: int
    code: str
    detail: str
    errors: Mapping[str, str] = field(factory=dict)
    retry_after: int | None = None

    @classmethod
    def of(cls, error: ApiRefused) -> "Refusal":
        detail = error.detail
        if error.status == HTTPStatus.TOO_MANY_REQUESTS and error.retry_after:
            detail += f" Try again in {duration(error.retry_after)}."
        return cls(
            status=error.status,
            code=error.problem,
            detail=detail,
            errors=error.errors,
            retry_after=error.retry_after,
        )

    def is_about(self, fields: Collection[str]) -> bool:
        """Whether there is nothing to say beside what is wrong with these fields."""
        return bool(self.errors) and self.errors.keys() <= set(fields)


def answers_json(view: View) -> View:
    """Marks a view that is for scripts: its errors are problem objects, as the API's."""
    view.answers_json = True  # type: ignore[attr-defined]
    return view


def install(app: Flask) -> None:
    app.register_error_handler(SessionEnded, _on_session_ended)
    app.register_error_handler(NotSignedIn, _on_not_signed_in)
    app.register_error_handler(ApiRefused, _on_refused)
    app.register_error_handler(ApiUnreachable, _on_unreachable)
    app.register_error_handler(CSRFError, _on_forged)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_bug)


def _on_session_ended(_: SessionEnded) -> AnyResponse:
    end()
    if not _is_for_script():
        flash(_ENDED, "info")
    return _to_login(_ENDED)


def _on_not_signed_in(_: NotSignedIn) -> AnyResponse:
    return _to_login("Log in first.")


def _to_login(why: str) -> AnyResponse:
    if _is_for_script():
        return _problem(401, "unauthenticated", why)
    return redirect(url_for("sign_in.login", next=_place_to_return_to()))


def _place_to_return_to() -> str | None:
    """The page that was asked for; after a form, the page that has it, if there is one."""
    if request.method == "GET":
        place = request.full_path.removesuffix("?")
    else:
        is_page = request.url_rule and "GET" in (request.url_rule.methods or ())
        place = request.path if is_page else "/"
    return None if place == "/" else place


def _on_refused(error: ApiRefused) -> AnyResponse:
    refusal = Refusal.of(error)
    return _answer(refusal.status, refusal.code, refusal.detail, refusal.retry_after)


def _on_unreachable(error: ApiUnreachable) -> AnyResponse:
    logger.warning("api_unreachable", detail=error.detail)
    return _answer(503, "api_unreachable", None)


def _on_forged(_: CSRFError) -> AnyResponse:
    return _answer(
        400, "csrf", "This form is out of date. Go back, reload the page and send it again."
    )


def _on_http_error(error: HTTPException) -> AnyResponse:
    if isinstance(error, RoutingException) or error.code is None:
        return error.get_response()
    usual = type(error).description
    detail = error.description if error.description != usual else None
    answer = _answer(error.code, _code(error.code), detail)
    answer.headers.update(
        {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    )
    return answer


def _on_bug(error: Exception) -> AnyResponse:
    logger.error("page_failed", exc_info=error, request_id=g.get("request_id"))
    return _answer(500, "internal", None)


def _answer(status: int, code: str, detail: str | None, retry_after: int | None = None) -> Response:
    title, usual = _WORDS.get(status) or (HTTPStatus(status).phrase, HTTPStatus(status).description)
    detail = detail or usual
    if _is_for_script():
        response = _problem(status, code, detail)
    else:
        page = render_template("error.html", title=title, detail=detail, status=status)
        response = Response(page, status)
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _problem(status: int, code: str, detail: str) -> Response:
    """As the API's; where a form buys something, with the key to send next time."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": g.request_id,
    }
    if "idempotency_key" in request.form:
        body["idempotency_key"] = key_after(code)
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def _is_for_script() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "answers_json", False)


def _code(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "_")
