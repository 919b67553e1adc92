"""Webhooks: genuine, recent, about a job."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.adapters.openrouter.callbacks import Callback, check_signature, read_callback
from aigen.adapters.openrouter.simulator.webhooks import signature

SECRET = "dev_secret"
BODY = (
    b'{"type":"video.generation.completed","created_at":"2026-04-24T12:00:00.000Z",'
    b'"data":{"id":"abc123","status":"completed"}}'
)
GOOD = "74f19df2f2ef9c9025387ca026600090bbe48f764021628fb813ba0b7c1798ec"
HEADER = f"t=1777032000,v1={GOOD}"
NOW = datetime.fromtimestamp(1777032000, UTC)


def test_the_documented_example_is_genuine() -> None:
    assert check_signature(SECRET, HEADER, BODY, NOW)


def test_so_is_what_the_simulator_signs() -> None:
    assert check_signature("s", signature("s", 1777032000, b"x"), b"x", NOW)


@pytest.mark.parametrize(
    "header",
    [
        f"t=1777032000,v1={'0' * 64},v1={GOOD}",
        f"v1={GOOD},t=1777032000",
        f"t=1777032000, v1={GOOD}, v2=new",
    ],
)
def test_one_of_several_signatures_is_enough_in_any_order(header: str) -> None:
    assert check_signature(SECRET, header, BODY, NOW)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        GOOD,
        f"v1={GOOD}",
        "t=1777032000",
        "t=1777032000,v1=",
        f"t=1777032000,v1={GOOD[:-1]}",
        f"t=1777032000,v1={GOOD.upper()}",
        f"t=1777032000,v2={GOOD}",
        f"t=1777032001,v1={GOOD}",
        f"t=01777032000,v1={GOOD}",
        f"t=1777032000,t=1777032000,v1={GOOD}",
        f"t=-1777032000,v1={GOOD}",
        f"t=\uff11777032000,v1={GOOD}",
        f"t=nan,v1={GOOD}",
        f"t={'9' * 5000},v1={GOOD}",
        "t=1777032000,v1=\ud800é",
        HEADER + "," + "v1=x," * 10_000,
    ],
)
def test_everything_else_is_not_genuine(header: str | None) -> None:
    assert not check_signature(SECRET, header, BODY, NOW)


def test_another_body_or_secret_is_not_genuine() -> None:
    assert not check_signature(SECRET, HEADER, BODY + b" ", NOW)
    assert not check_signature("dev_secreT", HEADER, BODY, NOW)


def test_a_dot_instead_of_the_comma_is_not_genuine() -> None:
    digest = hmac.new(SECRET.encode(), b"1777032000." + BODY, hashlib.sha256).hexdigest()
    assert not check_signature(SECRET, f"t=1777032000,v1={digest}", BODY, NOW)


def test_without_a_secret_nothing_is_genuine() -> None:
    digest = hmac.new(b"", b"1777032000," + BODY, hashlib.sha256).hexdigest()
    assert not check_signature("", f"t=1777032000,v1={digest}", BODY, NOW)


@pytest.mark.parametrize(
    ("seconds", "is_recent"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)]
)
def test_five_minutes_are_allowed_for(seconds: int, is_recent: bool) -> None:
    assert check_signature(SECRET, HEADER, BODY, NOW + timedelta(seconds=seconds)) is is_recent


def test_a_callback_tells_whom_it_concerns() -> None:
    assert read_callback(BODY) == Callback(provider_job_id="abc123", status="completed")


@pytest.mark.parametrize(
    "data", [{}, None, [], {"id": 7}, {"id": ""}, {"id": ".."}, {"id": "a\nb"}]
)
def test_a_callback_without_a_usable_id_concerns_nobody(data: object) -> None:
    body = json.dumps({"type": "video.generation.failed", "data": data}).encode()
    assert read_callback(body) is None


@pytest.mark.parametrize("kind", ["image.generation.completed", "", None, 7])
def test_other_news_are_passed_over(kind: object) -> None:
    assert read_callback(json.dumps({"type": kind, "data": {"id": "abc"}}).encode()) is None


@given(st.text(), st.binary())
def test_no_header_and_no_body_is_too_strange(header: str, body: bytes) -> None:
    assert not check_signature(SECRET, header, body, NOW)
    assert read_callback(body) is None
