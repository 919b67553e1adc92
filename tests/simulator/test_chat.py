"""POST /chat/completions as the contract has it, beyond what the SDK can see."""

import base64
import json
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from aigen.adapters.openrouter.simulator import RunningSimulator
from aigen.adapters.openrouter.simulator.sizes import PICTURE_SIZES

Ask = Callable[..., Awaitable[httpx.Response]]

GEMINI = {"model": "google/gemini-2.5-flash-image"}
FLUX = {"model": "black-forest-labs/flux.2-pro"}
PIXEL = "data:image/png;base64," + base64.b64encode(b"a picture").decode()


def picture_of(response: httpx.Response) -> bytes:
    url = response.json()["choices"][0]["message"]["images"][0]["image_url"]["url"]
    return base64.b64decode(url.partition(",")[2], validate=True)


def size_of(png: bytes) -> tuple[int, ...]:
    return struct.unpack(">2I", png[16:24])


async def test_the_same_words_get_the_same_answer(chat: Ask) -> None:
    first, second = [(await chat("What is rust?")).json() for _ in range(2)]
    assert first["choices"] == second["choices"]
    assert first["usage"] == second["usage"]
    assert first["id"] != second["id"]


async def test_the_answer_depends_on_the_conversation(chat: Ask) -> None:
    messages = [
        {"role": "system", "content": "Speak like a pirate"},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": None},
        {"role": "user", "content": [{"type": "text", "text": "Where is the treasure?"}]},
    ]
    answer = (await chat("", messages=messages)).json()["choices"][0]["message"]["content"]
    assert "Where is the treasure?" in answer
    assert "Speak like a pirate" in answer
    assert "number 2" in answer


async def test_keywords_of_older_messages_are_history(chat: Ask) -> None:
    messages = [
        {"role": "user", "content": "fox sim:refuse"},
        {"role": "assistant", "content": "no sim:refuse"},
        {"role": "user", "content": "and now?"},
    ]
    assert (await chat("", messages=messages)).status_code == 200


async def test_a_stream_has_comments_words_finish_usage_and_done_in_this_order(chat: Ask) -> None:
    response = await chat("Tell me of foxes", stream=True)
    assert response.headers["Content-Type"].startswith("text/event-stream")
    first, *lines, last = [line for line in response.text.split("\n\n") if line]
    assert first == ": OPENROUTER PROCESSING"
    assert last == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines]
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"]]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert ["usage" in chunk for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert {chunk["id"] for chunk in chunks} == {response.headers["X-Generation-Id"]}


async def test_a_stream_says_what_the_whole_answer_says(chat: Ask) -> None:
    whole = (await chat("Tell me of foxes")).json()
    streamed = await chat("Tell me of foxes", stream=True)
    chunks = [
        json.loads(line[6:]) for line in streamed.text.splitlines() if line.startswith("data: {")
    ]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    said = "".join(delta.get("content", "") for delta in deltas)
    assert said == whole["choices"][0]["message"]["content"]
    assert chunks[-1]["usage"] == whole["usage"]


async def test_an_answer_ends_at_the_tokens_that_were_allowed(chat: Ask) -> None:
    choice = (await chat("Tell me of foxes", max_tokens=5)).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"].split()) == 5


async def test_costs_follow_from_tokens_and_prices(chat: Ask) -> None:
    usage = (await chat("Tell me of foxes")).json()["usage"]
    expected = usage["prompt_tokens"] * 0.00000015 + usage["completion_tokens"] * 0.0000006
    assert usage["cost"] == pytest.approx(expected, abs=1e-10)
    free = await chat("Tell me", model="meta-llama/llama-3.3-70b-instruct:free")
    assert free.json()["usage"]["cost"] == 0


@pytest.mark.parametrize(("ratio", "size"), PICTURE_SIZES.items())
async def test_a_picture_has_the_pixels_of_its_aspect_ratio(
    chat: Ask, ratio: str, size: tuple[int, int]
) -> None:
    response = await chat("a fox", **GEMINI, image_config={"aspect_ratio": ratio})
    assert size_of(picture_of(response)) == size


@pytest.mark.parametrize(("tier", "side"), [("1K", 1024), ("2K", 2048), ("4k", 1024)])
async def test_an_unknown_image_size_is_ignored(chat: Ask, tier: str, side: int) -> None:
    """As ai-sdk-provider#269 found: a lower-case 4k came out at 1024 x 1024."""
    model = "google/gemini-3-pro-image"
    response = await chat("a fox", model=model, image_config={"image_size": tier})
    assert size_of(picture_of(response)) == (side, side)


async def test_only_what_was_asked_for_comes_back(chat: Ask) -> None:
    both = (await chat("a fox", **GEMINI, modalities=["image", "text"])).json()
    assert both["choices"][0]["message"]["content"]
    assert both["usage"]["cost"] > 0.039
    image = (await chat("a fox", **GEMINI, modalities=["image"])).json()
    assert image["choices"][0]["message"]["content"] == ""
    text = (await chat("a fox", **GEMINI, modalities=["text"])).json()
    assert "images" not in text["choices"][0]["message"]


@pytest.mark.parametrize(
    ("model", "modalities"),
    [
        ("openai/gpt-4o-mini", ["image"]),
        ("black-forest-labs/flux.2-pro", ["image", "text"]),
        ("openai/dall-e-3", ["image"]),
        ("google/veo-3.1", ["text"]),
    ],
)
async def test_other_modalities_than_the_models_are_404(
    chat: Ask, model: str, modalities: list[str]
) -> None:
    response = await chat("a fox", model=model, modalities=modalities)
    error = response.json()["error"]
    assert response.status_code == 404
    assert error["message"] == (
        "No endpoints found that support the requested output modalities: " + ", ".join(modalities)
    )
    assert error["metadata"]["failed_routing_step"] == "Filter by Model Output Modalities"


async def test_pictures_in_the_conversation_change_the_picture(chat: Ask) -> None:
    def turn(*parts: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"role": "user", "content": [{"type": "text", "text": "at night"}, *parts]}]

    part = {"type": "image_url", "image_url": {"url": PIXEL}}
    alone = await chat("", **FLUX, messages=turn())
    edited = await chat("", **FLUX, messages=turn(part))
    earlier = {"role": "assistant", "content": "", "images": [part]}
    replayed = await chat("", **FLUX, messages=[*turn(), earlier, *turn()])
    bare = await chat("", **FLUX, messages=[*turn(), earlier | {"images": []}, *turn()])
    assert len({picture_of(said) for said in (alone, edited, replayed, bare)}) == 4


async def test_tools_are_nothing_for_a_model_that_draws(chat: Ask) -> None:
    response = await chat("a fox", **GEMINI, tools=[{"type": "function"}])
    assert response.status_code == 404
    assert "tool use" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"model": "openai/gpt-0"}, "openai/gpt-0 is not a valid model ID"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"content": "hello"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"text": "a"}]}]}, "content[0].type"),
        ({"temperature": 3}, "temperature"),
        ({"stream": "yes"}, "stream"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"modalities": ["smell"]}, "modalities"),
        ({"session_id": "x" * 257}, "session_id"),
    ],
)
async def test_what_does_not_fit_is_400(chat: Ask, more: dict[str, Any], says: str) -> None:
    response = await chat("hello", **more)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == 400
    assert says in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("url", "status", "kind"),
    [
        ("ftp://a.example/fox.png", 400, "invalid_image"),
        ("data:image/png;base64,@@@@", 400, "invalid_image"),
        ("data:image/png,abc", 400, "invalid_image"),
        ("data:text/plain;base64,YQ==", 400, "unsupported_image_format"),
        ("data:image/png;base64," + "A" * 42_000_000, 413, "payload_too_large"),
    ],
    ids=["scheme", "alphabet", "not base64", "no image", "large"],
)
async def test_bad_pictures_are_refused(chat: Ask, url: str, status: int, kind: str) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    response = await chat("", messages=[{"role": "user", "content": [part]}])
    assert response.status_code == status
    assert response.json()["error"]["metadata"]["error_type"] == kind


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
async def test_malformed_json_is_400(client: httpx.AsyncClient, body: bytes) -> None:
    for path in ("/chat/completions", "/images", "/videos"):
        response = await client.post(path, content=body)
        assert response.status_code == 400
        assert response.json()["error"]["code"] == 400


async def test_a_client_that_leaves_a_stream_is_noted(
    client: httpx.AsyncClient, running: RunningSimulator
) -> None:
    body = {"messages": [{"role": "user", "content": "sim:drip=60"}], "stream": True}
    async with client.stream("POST", "/chat/completions", json=body) as response:
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                break
    for _ in range(100):
        (entry,) = (await client.get(f"{running.origin}/simulator/journal")).json()["entries"]
        if entry["client_left"]:
            return
    pytest.fail("the journal never told that the client left")
