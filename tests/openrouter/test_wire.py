"""Readers of what the provider sends: no garbage surprises them."""

import json
from decimal import Decimal
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from aigen.adapters.openrouter.completions import Said, said_in
from aigen.adapters.openrouter.image_routes import CHAT, GENERATIONS, IMAGES
from aigen.adapters.openrouter.outcomes import Outcomes, Reply, code_of
from aigen.adapters.openrouter.pictures import decoded, sources_in_chat, sources_in_data
from aigen.adapters.openrouter.reasons import Reasons
from aigen.adapters.openrouter.retry_after import retry_after
from aigen.adapters.openrouter.sse import Events
from aigen.adapters.openrouter.texts import TextHearing
from aigen.adapters.openrouter.wire import line, parsed, price, tokens, usd, words
from aigen.domain.model.limits import can_be_stored
from aigen.domain.model.texts import TextRequest
from aigen.ports.provider import (
    BadAnswer,
    Failure,
    Misconfigured,
    NotSent,
    Refused,
    TextAnswer,
    Unknown,
)

KEY = "sk-or-v1-secret"
OUTCOMES = Outcomes(Reasons(KEY))
FAILURES = (Refused, NotSent, Misconfigured, Unknown, BadAnswer)

#: Texts as JSON can carry them: with NUL and with half surrogate pairs.
TEXT = st.text(st.characters()) | st.sampled_from(
    ["\ud800", "\0", KEY, "data:,", "https://x", "429"]
)
NAMES = st.sampled_from(
    "choices message delta content images image_url url b64_json text finish_reason error code "
    "metadata raw reasons flagged_input headers retry-after usage cost total_tokens data model "
    "id status architecture pricing pricing_skus supported_parameters values prompt".split()
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | TEXT, inner, max_size=5),
    max_leaves=25,
)
#: What has at least the outline of an answer.
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "choices": st.lists(
            st.fixed_dictionaries(
                {},
                optional={"message": JSON, "delta": JSON, "error": JSON, "finish_reason": SCALARS},
            )
        )
        | JSON,
        "data": st.lists(JSON) | JSON,
        "error": JSON,
        "usage": JSON,
    },
)


def replies(body: bytes) -> list[Reply]:
    statuses = (200, 202, 302, 400, 402, 429, 500, 503)
    return [Reply(status=status, headers=httpx.Headers(), body=body) for status in statuses]


def check_failure(outcome: object) -> None:
    assert isinstance(outcome, FAILURES)
    assert outcome.reason
    assert len(outcome.reason) <= 1100
    assert can_be_stored(outcome.reason)
    assert KEY not in outcome.reason


@given(JSON | LIKELY)
def test_every_answer_is_read(value: Any) -> None:
    for reply in replies(json.dumps(value).encode()):
        said = said_in(reply, OUTCOMES)
        if isinstance(said, Said):
            assert can_be_stored(said.text)
            check_failure(said.failure("text", OUTCOMES))
        else:
            check_failure(said)
        for route in (CHAT, IMAGES, GENERATIONS):
            drawn = route.read(reply, OUTCOMES)
            if isinstance(drawn, FAILURES):
                check_failure(drawn)
        check_failure(OUTCOMES.of_reply(reply))


@given(st.binary())
def test_every_body_is_read(body: bytes) -> None:
    for reply in replies(body):
        check_failure(OUTCOMES.of_reply(reply))
        outcome = said_in(reply, OUTCOMES)
        assert isinstance(outcome, Said | Refused | NotSent | Misconfigured | Unknown | BadAnswer)


@given(JSON)
def test_every_error_is_understood(error: Any) -> None:
    assert len(OUTCOMES.reason(error)) <= 500
    code = code_of(error)
    assert code is None or isinstance(code, int)
    wait = retry_after({}, error)
    assert wait is None or 0 <= wait.total_seconds() <= 86_400
    check_failure(OUTCOMES.of_error(error))


@given(st.lists(JSON | LIKELY), st.booleans(), st.data())
def test_every_stream_ends_with_an_answer_or_a_failure(
    values: list[Any], is_done: bool, data: st.DataObject
) -> None:
    events = [json.dumps(value).encode() for value in values] + [b"[DONE]"] * is_done
    stream = b": hello\n\n" + b"".join(b"data: " + event + b"\n\n" for event in events)
    hearing = TextHearing(TextRequest(model="m", prompt="p"), OUTCOMES)
    texts: list[str] = []
    while stream and not hearing.is_ended:
        end = data.draw(st.integers(1, len(stream)))
        texts += [delta.text for delta in hearing.feed(stream[:end])]
        stream = stream[end:]
    outcome: TextAnswer | Failure = hearing.result()
    if isinstance(outcome, TextAnswer):
        assert outcome.text == "".join(texts) != ""
    else:
        check_failure(outcome)
    assert isinstance(outcome, Unknown | TextAnswer) or not texts


@given(
    st.lists(st.binary().map(lambda data: data.replace(b"\n", b"").replace(b"\r", b""))), st.data()
)
def test_events_are_the_same_however_they_are_cut(
    payloads: list[bytes], data: st.DataObject
) -> None:
    end_of_line = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    stream = b"".join(b"data: " + payload + end_of_line * 2 for payload in payloads)
    events = Events()
    seen: list[bytes] = []
    while stream:
        end = data.draw(st.integers(1, len(stream)))
        seen += events.feed(stream[:end])
        stream = stream[end:]
    assert seen == payloads


@given(JSON)
def test_money_is_money_or_nothing(value: Any) -> None:
    for amount in (usd(value), price(value)):
        assert amount is None or (amount.is_finite() and 0 <= amount < 1_000_000)
    told = usd(value)
    assert told is None or told.as_tuple().exponent == -10


@given(st.floats(0, 999_999))
def test_an_amount_is_taken_as_it_is_written(value: float) -> None:
    told = usd(value)
    assert told is not None
    assert abs(told - Decimal(str(value))) <= Decimal("5e-11")


@given(JSON)
def test_texts_can_be_stored(value: Any) -> None:
    assert can_be_stored(words(value))
    assert can_be_stored(line(value, 10))
    assert len(line(value, 10)) <= 10
    assert 0 <= tokens(value) <= 10**12


@given(JSON)
def test_pictures_are_looked_for_anywhere(value: Any) -> None:
    found = sources_in_chat(value if isinstance(value, list) else [value])
    found += sources_in_data(value if isinstance(value, dict) else {"data": value})
    for source in found:
        decoded(source)


@given(st.binary())
def test_a_json_text_never_raises(body: bytes) -> None:
    parsed(body)
