"""Chat completions through the SDK: handed on as they are, paid once, kept in the history."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from aigen.adapters.openrouter.simulator import RunningSimulator
from aigen.domain.model.ledger import ChargeState, Limits
from aigen.domain.model.texts import Text
from aigen.ports.store import HistoryQuery
from openai import APIError, APIStatusError, AsyncOpenAI, BadRequestError, InternalServerError
from tests.openai.conftest import PROVIDER_KEY, Recorded, Shop
from tests.openrouter.servers import Connection, http

MODEL = "openai/gpt-4o-mini"
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
#: As OpenRouter writes it.
TOOL_CALL: dict[str, Any] = {
    "id": "gen-1784755927-jQCaqCF0bQXeUfk77eAH",
    "object": "chat.completion",
    "created": 1_784_755_927,
    "model": MODEL,
    "provider": "Azure",
    "system_fingerprint": None,
    "choices": [
        {
            "index": 0,
            "logprobs": None,
            "finish_reason": "tool_calls",
            "native_finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": None,
                "refusal": None,
                "tool_calls": [
                    {
                        "index": 0,
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Ulm"}'},
                    }
                ],
            },
        }
    ],
    "usage": {"prompt_tokens": 13, "completion_tokens": 6, "total_tokens": 19, "cost": 0.0005},
}
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def asking(prompt: Any, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **more}


async def history(shop: Shop) -> list[Text]:
    await shop.world.aigen.background.drain()
    page = await shop.world.aigen.texts.list(HistoryQuery(user_id=shop.ann.id))
    return list(page.items)


def asked(simulator: RunningSimulator) -> int:
    """How often the provider was asked for a chat."""
    entries = simulator.simulator.journal.entries()
    return sum(entry["route"].endswith("/chat/completions") for entry in entries)


def chunk(delta: dict[str, Any], **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    body = {"id": TOOL_CALL["id"], "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    return b"data: " + json.dumps(body | {"choices": [choice | more]}).encode() + b"\n\n"


USAGE = (
    b'data: {"id":"gen-1784755927-jQCaqCF0bQXeUfk77eAH","object":"chat.completion.chunk",'
    b'"created":1,"model":"openai/gpt-4o-mini","choices":[],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"cost":0.0007}}\n\n'
)
DONE = b"data: [DONE]\n\n"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


# --- whole ------------------------------------------------------------------------------------


async def test_an_answer_is_the_providers_own(shop: Shop) -> None:
    answer = await shop.client.chat.completions.create(**asking("Say hello"))
    assert answer.object == "chat.completion"
    assert answer.id.startswith("gen-")
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0
    (kept,) = await history(shop)
    assert kept.prompt == "Say hello"
    assert kept.text == answer.choices[0].message.content
    assert kept.usage.total_tokens == answer.usage.total_tokens
    (charge,) = await shop.charges()
    assert charge.state is ChargeState.SETTLED
    assert charge.cost_usd == kept.cost_usd
    assert charge.cost_usd > 0
    assert charge.key_id is not None


async def test_all_fields_go_to_the_provider_and_back_untouched(recorded: Recorded) -> None:
    async def handle(connection: Connection) -> None:
        await connection.request()
        await connection.send(http(200, TOOL_CALL))

    shop, provider = await recorded(handle)
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
    ]
    said = asking(
        content,
        tools=TOOLS,
        tool_choice="auto",
        response_format={"type": "json_object"},
        temperature=0.25,
        seed=2**62,
    )
    answer = await shop.client.chat.completions.create(
        **said, extra_body={"provider": {"order": ["azure"]}, "top_k": 3}
    )
    (seen,) = (seen for seen in provider.requests if seen.target.endswith("/chat/completions"))
    assert seen.json == said | {"provider": {"order": ["azure"]}, "top_k": 3}
    assert seen.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert answer.model_dump(exclude_unset=True) == TOOL_CALL
    (kept,) = await history(shop)
    assert (kept.prompt, kept.text, kept.finish_reason) == ("What is this?", "", "tool_calls")
    assert kept.cost_usd == Decimal("0.0005")


async def test_no_picture_is_in_the_database(recorded: Recorded) -> None:
    drawn = json.loads(json.dumps(TOOL_CALL))
    message = {"role": "assistant", "content": "Here", "images": [{"image_url": {"url": PICTURE}}]}
    drawn["choices"][0] |= {"message": message, "finish_reason": "stop"}

    async def handle(connection: Connection) -> None:
        await connection.request()
        await connection.send(http(200, drawn))

    shop, _ = await recorded(handle)
    parts = [{"type": "image_url", "image_url": {"url": PICTURE}}]
    answer = await shop.client.chat.completions.create(**asking(parts))
    assert PICTURE in answer.model_dump_json()
    (kept,) = await history(shop)
    assert (kept.prompt, kept.text) == ("", "Here")


# --- streamed ---------------------------------------------------------------------------------


async def test_a_stream_ends_with_usage_once_it_is_paid(shop: Shop) -> None:
    stream = await shop.client.chat.completions.create(
        **asking("Say hello"), stream=True, stream_options={"include_usage": True}
    )
    texts, usage = [], None
    async for piece in stream:
        texts += [choice.delta.content or "" for choice in piece.choices]
        usage = piece.usage or usage
    (kept,) = await history(shop)
    assert kept.text == "".join(texts)
    assert usage is not None
    assert usage.total_tokens == kept.usage.total_tokens
    (charge,) = await shop.charges()
    assert charge.cost_usd == kept.cost_usd


async def test_every_event_is_passed_on_before_the_next_is_there(recorded: Recorded) -> None:
    """Also comments, and tools in pieces; events are the same bytes."""
    go_on = asyncio.Event()
    call = {"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": "{"}}
    blocks = [
        b": OPENROUTER PROCESSING\n\n",
        chunk({"role": "assistant", "content": "H\u00e9"}),
        chunk({"tool_calls": [call]}),
        chunk({}, finish_reason="tool_calls"),
        USAGE,
        DONE,
    ]

    async def handle(connection: Connection) -> None:
        await connection.request()
        await connection.send(HEAD)
        for block in blocks:
            await connection.send(block)
            await go_on.wait()
            go_on.clear()

    shop, _ = await recorded(handle)
    headers = {"Authorization": f"Bearer {shop.client.api_key}"}
    request = shop.client._client.build_request(
        "POST", f"{shop.url}/chat/completions", json=asking("hi", stream=True), headers=headers
    )
    response = await shop.client._client.send(request, stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    pieces = response.aiter_raw()
    for block in blocks:
        assert await anext(pieces) == block
        go_on.set()
    await response.aclose()
    (kept,) = await history(shop)
    assert (kept.text, kept.finish_reason) == ("H\u00e9", "tool_calls")


async def test_a_client_that_leaves_pays_for_what_it_ordered(recorded: Recorded) -> None:
    left = asyncio.Event()

    async def handle(connection: Connection) -> None:
        await connection.request()
        await connection.send(HEAD + chunk({"content": "one "}))
        await left.wait()
        await connection.send(chunk({"content": "two"}, finish_reason="stop") + USAGE + DONE)

    shop, _ = await recorded(handle)
    stream = await shop.client.chat.completions.create(**asking("hi"), stream=True)
    await anext(aiter(stream))
    await stream.close()
    left.set()
    (kept,) = await history(shop)
    assert kept.text == "one two"
    (charge,) = await shop.charges()
    assert (charge.state, charge.cost_usd) == (ChargeState.SETTLED, Decimal("0.0007"))


@pytest.mark.parametrize("fault", ["sim:midstream", "sim:stream-cut"])
async def test_what_fails_on_the_way_is_told_and_not_repeated(
    shop: Shop, simulator: RunningSimulator, fault: str
) -> None:
    stream = await shop.client.chat.completions.create(**asking(f"a fox {fault}"), stream=True)
    with pytest.raises(APIError, match="may have been charged") as caught:
        _ = [piece async for piece in stream]
    assert caught.value.code == "provider_outcome_unknown"
    assert asked(simulator) == 1


async def test_a_refusal_before_the_first_event_is_an_ordinary_one(shop: Shop) -> None:
    with pytest.raises(BadRequestError) as caught:
        await shop.client.chat.completions.create(**asking("sim:refuse"), stream=True)
    assert caught.value.code == "provider_refused"


# --- once -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_repeat_is_answered_from_the_history(
    shop: Shop, simulator: RunningSimulator, is_streamed: bool
) -> None:
    headers = {"Idempotency-Key": "a-key"}
    first = await shop.client.chat.completions.create(**asking("hello"), extra_headers=headers)
    text = first.choices[0].message.content
    if is_streamed:
        stream = await shop.client.chat.completions.create(
            **asking("hello"), stream=True, extra_headers=headers
        )
        pieces = [piece async for piece in stream]
        assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == text
    else:
        raw = await shop.client.chat.completions.with_raw_response.create(
            **asking("hello"), extra_headers=headers
        )
        assert raw.headers["idempotent-replay"] == "true"
        assert raw.parse().choices[0].message.content == text
    assert asked(simulator) == 1
    with pytest.raises(APIStatusError) as caught:
        await shop.client.chat.completions.create(**asking("other"), extra_headers=headers)
    assert (caught.value.status_code, caught.value.code) == (409, "idempotency_conflict")


async def test_what_is_not_kept_is_not_made_up_for_a_repeat(recorded: Recorded) -> None:
    async def handle(connection: Connection) -> None:
        await connection.request()
        await connection.send(http(200, TOOL_CALL))

    shop, provider = await recorded(handle)
    headers = {"Idempotency-Key": "a-key"}
    await shop.client.chat.completions.create(**asking("hi", tools=TOOLS), extra_headers=headers)
    with pytest.raises(APIStatusError, match="was answered") as caught:
        await shop.client.chat.completions.create(
            **asking("hi", tools=TOOLS), extra_headers=headers
        )
    assert caught.value.code == "idempotency_conflict"
    assert sum(seen.target.endswith("/chat/completions") for seen in provider.requests) == 1


@pytest.mark.parametrize(
    ("prompt", "code"),
    [("sim:reset", "provider_outcome_unknown"), ("sim:garbage", "provider_bad_answer")],
)
async def test_the_sdk_does_not_buy_twice(
    shop: Shop, simulator: RunningSimulator, prompt: str, code: str
) -> None:
    with pytest.raises(InternalServerError) as caught:
        await shop.client.chat.completions.create(**asking(prompt))
    assert caught.value.code == code
    assert asked(simulator) == 1


# --- money ------------------------------------------------------------------------------------


async def test_a_cap_is_kept(shop: Shop, simulator: RunningSimulator) -> None:
    await shop.world.aigen.money.set_limits(Limits(owner=shop.ann.id, usd_day=Decimal("0.000001")))
    for is_streamed in (False, True):
        with pytest.raises(APIStatusError) as caught:
            await shop.client.chat.completions.create(**asking("hello"), stream=is_streamed)
        assert (caught.value.status_code, caught.value.code) == (402, "spend_limit_reached")
    assert asked(simulator) == 0


async def test_a_model_that_may_stand_in_is_reserved_for(
    shop: Shop, simulator: RunningSimulator
) -> None:
    await shop.world.aigen.money.set_limits(Limits(owner=shop.ann.id, usd_day=Decimal("0.01")))
    dear = {"models": ["anthropic/claude-sonnet-4.5"]}
    with pytest.raises(APIStatusError) as caught:
        await shop.client.chat.completions.create(**asking("hello"), extra_body=dear)
    assert caught.value.code == "spend_limit_reached"
    await shop.client.chat.completions.create(**asking("hello"))


async def test_what_was_refused_costs_nothing(shop: Shop) -> None:
    client: AsyncOpenAI = shop.client.with_options(max_retries=0)
    with pytest.raises(BadRequestError):
        await client.chat.completions.create(**asking("sim:refuse"))
    usage = await shop.world.aigen.money.usage(shop.ann.id)
    assert usage.day.spent_usd + usage.day.reserved_usd == 0
    assert await history(shop) == []
