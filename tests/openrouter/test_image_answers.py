"""Pictures are found in answers of many shapes, also where they lie elsewhere."""

import base64
from decimal import Decimal
from typing import Any

import pytest

from aigen.adapters.openrouter import pictures as pictures_module
from aigen.adapters.openrouter.images import OpenRouterImages
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.media import Picture
from aigen.ports.provider import (
    BadAnswer,
    ImageAnswer,
    Misconfigured,
    Refused,
    Unknown,
)
from tests.openrouter.asking import ENCODED, GEMINI, PNG, ask, data, drawn
from tests.openrouter.conftest import KEY, Connect, Serve
from tests.openrouter.servers import Connection, answering, http


def chat_with(images: Any, content: object = "") -> dict[str, Any]:
    message = {"content": content, "images": images}
    return {"choices": [{"message": message, "finish_reason": "stop"}]}


def wrapped(text: str) -> str:
    return "\n".join(text[place : place + 76] for place in range(0, len(text), 76))


@pytest.mark.parametrize(
    "image",
    [
        {"image_url": {"url": f"data:image/png;base64,{ENCODED}"}},
        {"type": "brand_new", "image_url": {"url": f"data:image/webp;base64,{ENCODED}"}},
        {"image_url": {"url": f"data:;base64,{ENCODED}"}},
        {"image_url": {"url": f"DATA:IMAGE/PNG;charset=x;BASE64,{ENCODED}"}},
        {"image_url": {"url": f"data:image/png;base64,{ENCODED.rstrip('=')}"}},
        {"image_url": {"url": f"data:image/png;base64,{wrapped(ENCODED)}"}},
        {"image_url": {"url": base64.urlsafe_b64encode(PNG).decode()}},
        {"image_url": {"url": ENCODED}},
        {"image_url": f"data:image/png;base64,{ENCODED}"},
        {"b64_json": ENCODED},
        {"url": f"data:image/png;base64,{ENCODED}"},
    ],
)
async def test_a_picture_is_found_however_it_is_written(
    connect: Connect, serve: Serve, image: dict[str, Any]
) -> None:
    server = await serve(answering(http(200, chat_with([image]))))
    outcome, _ = await ask(connect, server, ImageRequest(model=GEMINI, prompt="x"))
    assert outcome == ImageAnswer(pictures=(Picture(content=PNG),))


async def test_a_picture_may_be_a_part_of_the_content(connect: Connect, serve: Serve) -> None:
    content = [
        {"type": "text", "text": "here"},
        {"type": "image_url", "image_url": {"url": ENCODED}},
    ]
    server = await serve(answering(http(200, chat_with(None, content))))
    outcome, _ = await ask(connect, server, ImageRequest(model=GEMINI, prompt="x"))
    assert outcome == ImageAnswer(pictures=(Picture(content=PNG),), text="here")


async def test_a_picture_need_not_be_in_base64(connect: Connect, serve: Serve) -> None:
    svg = {"image_url": {"url": "data:image/svg+xml,%3Csvg/%3E"}}
    server = await serve(answering(http(200, chat_with([svg]))))
    outcome, _ = await ask(connect, server, ImageRequest(model=GEMINI, prompt="x"))
    assert outcome == ImageAnswer(pictures=(Picture(content=b"<svg/>"),))


@pytest.mark.parametrize(
    ("images", "content", "reason"),
    [
        ([], "I'd rather not.", "the model gave no picture (finish reason: stop): I'd rather not."),
        (None, None, "the model gave no picture (finish reason: stop)"),
        ("x", [{"text": "no"}], "the model gave no picture (finish reason: stop): no"),
        ([None, 7, {}, {"image_url": 7}, {"image_url": {"url": None}}], "", None),
        ([{"image_url": {"url": "data:image/png;base64,"}}], "", "its picture cannot be had"),
        ([{"image_url": {"url": "data:image/png;base64,abcde"}}], "", "its picture cannot be had"),
        (
            [{"image_url": {"url": "http://elsewhere.example/x.png"}}],
            "",
            "its picture cannot be had",
        ),
    ],
)
async def test_without_a_picture_the_answer_says_what_came_instead(
    connect: Connect, serve: Serve, images: Any, content: object, reason: str | None
) -> None:
    server = await serve(answering(http(200, chat_with(images, content))))
    outcome, _ = await ask(connect, server, ImageRequest(model=GEMINI, prompt="x"))
    expected = reason or "the model gave no picture (finish reason: stop)"
    assert outcome == BadAnswer(reason=expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (data({"b64_json": ENCODED}, {"b64_json": ENCODED}), ImageAnswer),
        (data({"url": f"data:image/png;base64,{ENCODED}"}), ImageAnswer),
        (data({"b64_json": None}, 7, None), BadAnswer),
        (data(), BadAnswer),
        ({"data": "x"}, BadAnswer),
        ({}, BadAnswer),
        ([], BadAnswer),
        (b"<html>", BadAnswer),
        (b'{"data": [', Unknown),
        ({"error": {"code": 502, "message": "no"}}, Unknown),
        ({"error": {"code": 403, "message": "no"}}, Refused),
        ({"error": {"code": 402, "message": "no"}}, Misconfigured),
    ],
)
async def test_answers_of_the_images_route(
    connect: Connect, serve: Serve, body: object, expected: type
) -> None:
    server = await serve(answering(http(200, body)))
    request = ImageRequest(model=GEMINI, prompt="x")
    outcome, _ = await ask(connect, server, request, route="images")
    assert type(outcome) is expected


async def test_there_is_an_end_to_the_pictures(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(200, data(*[{"b64_json": ENCODED}] * 1000))))
    request = ImageRequest(model=GEMINI, prompt="x")
    outcome, _ = await ask(connect, server, request, route="images")
    assert isinstance(outcome, ImageAnswer)
    assert len(outcome.pictures) == 10


# --- pictures that lie elsewhere --------------------------------------------------------------


async def test_pictures_are_fetched_without_our_key_and_one_lost_is_not_all(
    connect: Connect, serve: Serve
) -> None:
    async def gallery(connection: Connection) -> None:
        seen = await connection.request()
        await connection.send(http(200, PNG) if seen.target == "/good.png" else http(404))

    elsewhere = await serve(gallery, tls=True)
    urls = [f"{elsewhere.origin}/{name}.png" for name in ("good", "lost")]
    urls.append("https://127.0.0.1:1/refused.png")
    server = await serve(answering(http(200, drawn(urls=urls))))
    images = OpenRouterImages(connect(server.url, may_connect=lambda _: True))
    outcome = await images.generate(ImageRequest(model=GEMINI, prompt="x"))
    assert outcome == ImageAnswer(pictures=(Picture(content=PNG),))
    assert KEY not in str(elsewhere.requests)


async def test_pictures_are_not_fetched_from_inside(connect: Connect, serve: Serve) -> None:
    inner = await serve(answering(http(200, PNG)), tls=True)
    server = await serve(answering(http(200, drawn(urls=[f"{inner.origin}/x.png"]))))
    outcome, _ = await ask(connect, server, ImageRequest(model=GEMINI, prompt="x"))
    assert isinstance(outcome, BadAnswer)
    assert inner.connections == 0


async def test_a_picture_without_measure_is_left(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures_module, "_LARGEST", 100_000)
    huge = await serve(answering(http(200, bytes(100_001))), tls=True)
    body = drawn(urls=[f"{huge.origin}/x.png"], cost=0.5)
    server = await serve(answering(http(200, body)))
    images = OpenRouterImages(connect(server.url, may_connect=lambda _: True))
    outcome = await images.generate(ImageRequest(model=GEMINI, prompt="x"))
    assert outcome == BadAnswer(reason="its picture cannot be had", cost_usd=Decimal("0.5"))
