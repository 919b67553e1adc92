"""The one table: every status and every error in a 200, for texts, pictures and films alike."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from aigen.ports.provider import Misconfigured, NotSent, Refused, Unknown
from tests.openrouter.conftest import KEY, Connect, Serve
from tests.openrouter.servers import answering, http
from tests.openrouter.test_connections import SENDS, send_text, send_video

OWN = {"error": {"code": 0, "message": "the provider's own words"}}
PAGE = b"<html><h1>Sorry</h1></html>"

REFUSED = [400, 403, 404, 413, 422]
MISCONFIGURED = [401, 402]
NO_CODES: list[object] = ["server_error", "", "4e2", None, 403.5, [403], {}, True]
UNKNOWN = [
    *(300, 301, 307),
    *(405, 406, 408, 409, 410, 412, 415, 418, 425, 451, 499),
    *(500, 501, 502, 504, 507, 520, 521, 522, 523, 524, 530, 599),
]


async def everywhere(connect: Connect, serve: Serve, answer: bytes) -> list[Any]:
    """What the answer means to a text, a streamed text, a picture and a film."""
    clients = connect((await serve(answering(answer))).url)
    return [await send(clients) for send in SENDS]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        *((status, OWN, Refused) for status in REFUSED),
        *((status, PAGE, Refused) for status in REFUSED),
        *((status, OWN, Misconfigured) for status in MISCONFIGURED),
        *((status, PAGE, Misconfigured) for status in MISCONFIGURED),
        *((status, OWN, Unknown) for status in UNKNOWN),
        *((status, PAGE, Unknown) for status in UNKNOWN),
        *((status, OWN, NotSent) for status in (429, 503, 529)),
        (429, PAGE, NotSent),
        # Only the provider itself can say that it did not take it.
        *((status, PAGE, Unknown) for status in (503, 529)),
        *((status, {"message": "no"}, Unknown) for status in (503, 529)),
        *((status, {"error": "no"}, Unknown) for status in (503, 529)),
        *((status, {"error": {}}, Unknown) for status in (503, 529)),
    ],
)
async def test_a_status_means_the_same_everywhere(
    connect: Connect, serve: Serve, status: int, body: Any, expected: Any
) -> None:
    outcomes = await everywhere(connect, serve, http(status, body))
    assert [type(outcome) for outcome in outcomes] == [expected] * 4
    words = "the provider's own words" if body is OWN else outcomes[0].reason
    assert {outcome.reason for outcome in outcomes} == {words}
    assert words


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        *((code, Refused) for code in REFUSED),
        *((code, Misconfigured) for code in MISCONFIGURED),
        *((code, NotSent) for code in (429, 503, 529)),
        *((code, Unknown) for code in (408, 500, 502, 504, 524, 200, 0, -1, 10**30)),
        ("403", Refused),
        ("402", Misconfigured),
        ("429", NotSent),
        *((code, Unknown) for code in NO_CODES),
    ],
)
async def test_an_error_inside_a_200_means_what_its_code_says(
    connect: Connect, serve: Serve, code: object, expected: Any
) -> None:
    body = {"error": {"code": code, "message": "no"}}
    outcomes = await everywhere(connect, serve, http(200, body))
    assert [type(outcome) for outcome in outcomes] == [expected] * 4
    assert {outcome.reason for outcome in outcomes} == {"no"}


async def test_a_code_may_be_named_otherwise(connect: Connect, serve: Serve) -> None:
    body = {"error": {"error_type": "provider_overloaded", "http_status": 503, "message": "no"}}
    assert await everywhere(connect, serve, http(200, body)) == [NotSent(reason="no")] * 4


# --- when to try again ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": "-3"}, 0),
        ({"retry_after": "1e9"}, 86_400),
        *(({"retry_after": text}, None) for text in ("soon", "nan", "inf", "", "Mon, 99 Foo 2026")),
    ],
)
async def test_retry_after_in_seconds(
    connect: Connect, serve: Serve, headers: dict[str, str], seconds: float | None
) -> None:
    wait = None if seconds is None else timedelta(seconds=seconds)
    outcomes = await everywhere(connect, serve, http(429, OWN, **headers))
    assert outcomes == [NotSent(reason="the provider's own words", retry_after=wait)] * 4


def _in_a_minute() -> list[tuple[dict[str, str], dict[str, Any]]]:
    later = datetime.now(UTC) + timedelta(minutes=1)
    date, reset = format_datetime(later, usegmt=True), later.timestamp()
    return [
        ({"retry_after": date}, {}),
        ({"x_ratelimit_reset": str(int(reset * 1000))}, {}),
        ({"x_ratelimit_reset": str(reset)}, {}),
        ({}, {"Retry-After": "60"}),
        ({}, {"retry-after": 60}),
        ({}, {"Retry-After": date}),
        ({}, {"X-RateLimit-Reset": reset * 1000}),
        ({"retry_after": "60"}, {"Retry-After": "5"}),
    ]


@pytest.mark.parametrize("place", range(len(_in_a_minute())))
async def test_retry_after_as_a_date_or_in_the_metadata(
    connect: Connect, serve: Serve, place: int
) -> None:
    headers, repeated = _in_a_minute()[place]
    body = {"error": {"code": 503, "message": "no", "metadata": {"headers": repeated}}}
    server = await serve(answering(http(503, body, **headers)))
    outcome = await send_video(connect(server.url))
    assert isinstance(outcome, NotSent)
    assert outcome.retry_after is not None
    assert 50 < outcome.retry_after.total_seconds() <= 60


@pytest.mark.parametrize("reset", ["30", "nan", "yesterday", str(time.time() - 100)])
async def test_a_reset_that_is_no_instant_to_come_is_not_waited_for(
    connect: Connect, serve: Serve, reset: str
) -> None:
    server = await serve(answering(http(429, OWN, x_ratelimit_reset=reset)))
    outcome = await send_video(connect(server.url))
    assert isinstance(outcome, NotSent)
    assert outcome.retry_after in {None, timedelta(0)}


# --- the provider's words -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("just a text", "just a text"),
        ({"message": "plain"}, "plain"),
        ({"message": {"message": "nested"}}, "nested"),
        (
            {"message": "Provider returned error", "metadata": {"raw": "out of memory"}},
            "out of memory",
        ),
        ({"message": "Provider returned error", "metadata": {"raw": '{"error":"oom"}'}}, "oom"),
        ({"message": "Provider returned error", "metadata": {"raw": {"detail": "oom"}}}, "oom"),
        (
            {
                "message": "Provider returned error",
                "metadata": {"raw": '[{"error":{"message":"oom"}}]'},
            },
            "oom",
        ),
        (
            {"message": "Provider returned error", "metadata": {"raw": {}}},
            "Provider returned error",
        ),
        ({"message": "plain", "metadata": {"raw": "not asked"}}, "plain"),
        ({"code": 403, "metadata": {"reasons": ["violence", "gore"]}}, "violence, gore"),
        (
            {"message": "flagged", "metadata": {"reasons": ["gore"], "flagged_input": "a … b"}},
            "flagged (gore, “a … b”)",
        ),
        (
            {"message": "two\r\nlines\tand\x00\x07 \x1b[31mmore\u2028 \ud800"},
            "two lines and [31mmore",
        ),
        ({"message": f"your key {KEY} is bad"}, "your key [key] is bad"),
        ({"message": "Provider returned error", "metadata": {"raw": f"{KEY}!"}}, "[key]!"),
        ({"message": 7, "metadata": [1]}, "the provider answered 400"),
        ([], "the provider answered 400"),
        (None, "the provider answered 400"),
    ],
)
async def test_the_reason_is_in_the_provider_s_own_words(
    connect: Connect, serve: Serve, error: object, words: str
) -> None:
    server = await serve(answering(http(400, {"error": error})))
    assert await send_text(connect(server.url)) == Refused(reason=words)


@pytest.mark.parametrize("before", range(400, 520, 7))
async def test_a_long_reason_is_cut_and_no_piece_of_the_key_is_left(
    connect: Connect, serve: Serve, before: int
) -> None:
    message = "x" * before + KEY + "y" * 100_000
    server = await serve(answering(http(400, {"error": {"message": message}})))
    outcome = await send_text(connect(server.url))
    assert isinstance(outcome, Refused)
    assert len(outcome.reason) == 500
    assert "sk-or" not in outcome.reason


async def test_a_status_counts_even_if_its_body_never_comes(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(402, OWN)[:-10]))
    assert isinstance(await send_video(connect(server.url)), Misconfigured)
