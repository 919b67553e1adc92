"""What has to be true of an answer."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from http import HTTPStatus
from typing import Any

import httpx
from attrs import frozen

_PROBLEM = {"type", "title", "status", "detail", "code", "request_id"}
_BUDGET = {"scope", "limit_usd", "left_usd", "renews_at"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem, which must be this one in exactly the promised shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["code"] == code
    assert problem["request_id"] == response.headers["x-request-id"]
    assert_problem_shape(problem, status)
    if status == HTTPStatus.UNAUTHORIZED:
        assert response.headers["www-authenticate"] == "Bearer"
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        assert int(response.headers["retry-after"]) >= 1
    return problem


def assert_problem_shape(problem: dict[str, Any], status: int) -> None:
    budget = _BUDGET if problem["code"] == "spend_limit_reached" else set()
    assert problem.keys() - {"errors"} == _PROBLEM | budget
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"] == HTTPStatus(status).phrase
    assert problem["detail"].strip()
    if "errors" in problem:
        assert status == HTTPStatus.UNPROCESSABLE_ENTITY
        assert problem["errors"]
        assert all(error.keys() == {"loc", "msg"} for error in problem["errors"])


def assert_json(response: httpx.Response, status: int = 200) -> Any:
    """The JSON, of an answer with this status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def assert_done(response: httpx.Response) -> None:
    """204, and not a byte."""
    assert response.status_code == HTTPStatus.NO_CONTENT, response.text
    assert response.content == b""


def assert_time(text: str) -> None:
    """RFC 3339 in UTC, with `Z`."""
    assert _TIME.fullmatch(text), text
    datetime.fromisoformat(text)


def assert_id(text: str) -> None:
    assert _UUID7.fullmatch(text), text


def said_in(response: httpx.Response) -> Any:
    """What tells two answers apart, besides the ids that every request has of its own."""
    headers = {
        name: value
        for name, value in response.headers.items()
        if name not in {"x-request-id", "content-length"}
    }
    body = response.json()
    body.pop("request_id", None)
    return response.status_code, headers, body


# --- server-sent events -----------------------------------------------------------------------


@frozen
class SentEvent:
    name: str
    data: str


def events_of(response: httpx.Response) -> list[SentEvent]:
    """The events of a whole stream; comments are passed over."""
    assert response.status_code == HTTPStatus.OK, response.text
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    blocks = [block for block in response.text.split("\n\n") if block]
    return [_event(block) for block in blocks if not block.startswith(":")]


async def live_events(response: httpx.Response) -> AsyncIterator[SentEvent]:
    """The events of a stream as they come."""
    lines: list[str] = []
    async for line in response.aiter_lines():
        if line:
            lines.append(line)
            continue
        block, lines = "\n".join(lines), []
        if not block.startswith(":"):
            yield _event(block)


def _event(block: str) -> SentEvent:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    assert fields.keys() == {"event", "data"}
    return SentEvent(fields["event"], fields["data"])
