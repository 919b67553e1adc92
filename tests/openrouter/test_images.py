"""Pictures: the route for the model, what is sent, and several calls."""

import base64
from decimal import Decimal
from typing import Any

import pytest

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.images import OpenRouterImages
from aigen.adapters.openrouter.simulator import RunningSimulator, SimulatorOptions, serve_simulator
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.media import MediaType, Picture, type_of
from aigen.ports.provider import (
    BadAnswer,
    ImageAnswer,
    Refused,
    Unknown,
)
from tests.openrouter.asking import (
    DALL_E,
    ENCODED,
    FAILURES,
    FLUX,
    GEMINI,
    GPT_5,
    PNG,
    ask,
    data,
    drawn,
)
from tests.openrouter.conftest import Connect, Serve
from tests.openrouter.servers import Connection, Handler, Seen, answering, http

SOURCE = "data:image/png;base64," + base64.b64encode(b"the picture to edit").decode()

CHAT, IMAGES, GENERATIONS = "/chat/completions", "/images", "/images/generations"


def by_path(**answers: list[bytes]) -> Handler:
    """Each route has answers of its own, the last one for ever."""
    to_come = {name: list(those) for name, those in answers.items()}

    async def handle(connection: Connection) -> None:
        seen = await connection.request()
        left = to_come[seen.target.removeprefix("/api/v1/").replace("/", "_")]
        await connection.send(left.pop(0) if len(left) > 1 else left[0])

    return handle


def paths(seen: list[Seen]) -> list[str]:
    return [request.target.removeprefix("/api/v1") for request in seen]


# --- the route --------------------------------------------------------------------------------

ALL = by_path(
    chat_completions=[http(200, drawn())],
    images=[http(200, data({"b64_json": ENCODED}))],
    images_generations=[http(200, data({"b64_json": ENCODED}))],
)


@pytest.mark.parametrize(
    ("model", "route", "path"),
    [
        *((model, "auto", CHAT) for model in (GEMINI, FLUX, GPT_5, "new/model", "dall-e-fan/x")),
        *((model, "auto", GENERATIONS) for model in (DALL_E, "dall-e-2", "any/dall-e-9-mini")),
        *((model, "chat", CHAT) for model in (GEMINI, DALL_E)),
        *((model, "images", IMAGES) for model in (GEMINI, DALL_E)),
        *((model, "generations", GENERATIONS) for model in (GEMINI, DALL_E)),
    ],
)
async def test_the_model_chooses_the_route_unless_one_is_forced(
    connect: Connect, serve: Serve, model: str, route: str, path: str
) -> None:
    request = ImageRequest(model=model, prompt="a fox")
    outcome, seen = await ask(connect, await serve(ALL), request, route=route)
    assert outcome == ImageAnswer(pictures=(Picture(content=PNG),))
    assert paths(seen) == [path]


def test_a_route_that_is_none_is_refused_at_once(connect: Connect) -> None:
    with pytest.raises(KeyError):
        OpenRouterImages(connect("https://provider.example"), route="elsewhere")


NO_ENDPOINT = {
    "error": {
        "message": "No endpoints found that support the requested output modalities: image",
        "code": 404,
        "metadata": {"failed_routing_step": "Filter by Model Output Modalities"},
    }
}


@pytest.mark.parametrize("model", [GEMINI, DALL_E])
@pytest.mark.parametrize(
    "missing", [http(404, NO_ENDPOINT), http(200, NO_ENDPOINT), http(404, b"<html>")]
)
async def test_a_404_leads_to_the_dedicated_route(
    connect: Connect, serve: Serve, model: str, missing: bytes
) -> None:
    handler = by_path(
        chat_completions=[missing],
        images_generations=[missing],
        images=[http(200, data({"b64_json": ENCODED}, cost=0.04))],
    )
    outcome, seen = await ask(connect, await serve(handler), ImageRequest(model=model, prompt="x"))
    assert outcome == ImageAnswer(pictures=(Picture(content=PNG),), cost_usd=Decimal("0.04"))
    assert paths(seen) == [CHAT if model == GEMINI else GENERATIONS, IMAGES]


async def test_with_several_pictures_too(connect: Connect, serve: Serve) -> None:
    handler = by_path(
        chat_completions=[http(404, NO_ENDPOINT)],
        images=[http(200, data(*[{"b64_json": ENCODED}] * 3))],
    )
    request = ImageRequest(model=GEMINI, prompt="x", n=3)
    outcome, seen = await ask(connect, await serve(handler), request)
    assert isinstance(outcome, ImageAnswer)
    assert len(outcome.pictures) == 3
    assert paths(seen) == [CHAT, CHAT, CHAT, IMAGES]
    assert seen[-1].json["n"] == 3


@pytest.mark.parametrize("route", ["chat", "generations", "images"])
async def test_a_forced_route_does_not_fall_back(
    connect: Connect, serve: Serve, route: str
) -> None:
    server = await serve(answering(http(404, NO_ENDPOINT)))
    outcome, seen = await ask(connect, server, ImageRequest(model=GEMINI, prompt="x"), route=route)
    assert isinstance(outcome, Refused)
    assert len(seen) == 1


async def test_after_both_routes_there_is_no_third(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(404, NO_ENDPOINT)))
    outcome, seen = await ask(connect, server, ImageRequest(model=GEMINI, prompt="x"))
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("No endpoints found")
    assert paths(seen) == [CHAT, IMAGES]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 408, 413, 422, 429, 500, 502, 503, 524])
async def test_no_other_status_leads_anywhere(connect: Connect, serve: Serve, status: int) -> None:
    server = await serve(answering(http(status, {"error": {"message": "no"}})))
    outcome, seen = await ask(connect, server, ImageRequest(model=GEMINI, prompt="x"))
    assert not isinstance(outcome, ImageAnswer)
    assert paths(seen) == [CHAT]


# --- what is sent -----------------------------------------------------------------------------

FULL = ImageRequest(
    model="m/i", prompt="a fox", size="1024x1024", aspect_ratio="16:9", image_size="2K"
)


async def test_chat_is_asked_for_pictures_alone(connect: Connect, serve: Serve) -> None:
    _, (full,) = await ask(connect, await serve(ALL), FULL)
    assert full.json == {
        "model": "m/i",
        "messages": [{"role": "user", "content": "a fox"}],
        "modalities": ["image"],
        "image_config": {"aspect_ratio": "16:9", "image_size": "2K"},
    }
    plain = ImageRequest(model="m/i", prompt="a fox", size="1024x1024")
    _, (bare,) = await ask(connect, await serve(ALL), plain)
    assert "image_config" not in bare.json


async def test_chat_is_given_the_words_before_the_picture(connect: Connect, serve: Serve) -> None:
    _, (seen,) = await ask(connect, await serve(ALL), FULL, source=SOURCE)
    assert seen.json["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "a fox"},
                {"type": "image_url", "image_url": {"url": SOURCE}},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"size": "1024x1024"}, {"size": "1024x1024"}),
        ({"size": "1024x1024", "aspect_ratio": "1:1"}, {"aspect_ratio": "1:1"}),
        ({"size": "1024x1024", "image_size": "2K"}, {"resolution": "2K"}),
        (
            {"aspect_ratio": "16:9", "image_size": "4K"},
            {"aspect_ratio": "16:9", "resolution": "4K"},
        ),
        ({}, {}),
    ],
)
async def test_the_images_route_is_given_a_shape_that_cannot_contradict_itself(
    connect: Connect, serve: Serve, given: dict[str, Any], sent: dict[str, str]
) -> None:
    request = ImageRequest(model="m/i", prompt="a fox", n=1, **given)
    _, (seen,) = await ask(connect, await serve(ALL), request, source=SOURCE, route="images")
    reference = {"type": "image_url", "image_url": {"url": SOURCE}}
    asked = {"model": "m/i", "prompt": "a fox", "n": 1, "input_references": [reference]}
    assert seen.json == asked | sent


async def test_the_old_route_is_given_size_and_number(connect: Connect, serve: Serve) -> None:
    request = ImageRequest(
        model="dall-e-2", prompt="a fox", size="512x512", n=4, aspect_ratio="1:1"
    )
    _, (seen,) = await ask(connect, await serve(ALL), request)
    asked = {"model": "dall-e-2", "prompt": "a fox", "size": "512x512", "n": 4}
    assert seen.json == asked | {"response_format": "b64_json"}
    other = ImageRequest(model="openai/gpt-image-2", prompt="a fox")
    _, (seen,) = await ask(connect, await serve(ALL), other, route="generations")
    assert seen.json == {"model": "openai/gpt-image-2", "prompt": "a fox", "n": 1}


@pytest.mark.parametrize(("model", "route"), [(DALL_E, "auto"), (GEMINI, "generations")])
async def test_the_old_route_edits_nothing(
    connect: Connect, serve: Serve, model: str, route: str
) -> None:
    request = ImageRequest(model=model, prompt="a fox")
    outcome, seen = await ask(connect, await serve(ALL), request, source=SOURCE, route=route)
    assert isinstance(outcome, Refused)
    assert "cannot edit" in outcome.reason
    assert seen == []


# --- several pictures -------------------------------------------------------------------------


@pytest.mark.parametrize("model", [GEMINI, DALL_E])
async def test_where_a_call_gives_one_picture_there_are_several_calls(
    connect: Connect, serve: Serve, model: str
) -> None:
    handler = by_path(
        chat_completions=[http(200, drawn("here", cost=0.01))],
        images_generations=[http(200, data({"b64_json": ENCODED}, cost=0.01))],
    )
    request = ImageRequest(model=model, prompt="x", n=3)
    outcome, seen = await ask(connect, await serve(handler), request)
    assert isinstance(outcome, ImageAnswer)
    assert outcome.pictures == (Picture(content=PNG),) * 3
    assert outcome.cost_usd == Decimal("0.03")
    assert outcome.text == ("here" if model == GEMINI else None)
    assert [request.json.get("n", 1) for request in seen] == [1, 1, 1]


async def test_what_came_is_kept_and_what_is_known_of_the_cost(
    connect: Connect, serve: Serve
) -> None:
    no_picture = drawn("only words", cost=0.02)
    no_picture["choices"][0]["message"]["images"] = []
    handler = by_path(
        chat_completions=[
            http(429),
            http(200, drawn("one", cost=0.01)),
            http(502),
            http(200, no_picture),
            http(404),
            http(200, drawn("two")),
        ]
    )
    request = ImageRequest(model=GEMINI, prompt="x", n=6)
    outcome, seen = await ask(connect, await serve(handler), request)
    assert isinstance(outcome, ImageAnswer)
    assert len(outcome.pictures) == 2
    assert set((outcome.text or "").split("\n\n")) == {"one", "two"}
    assert outcome.cost_usd == Decimal("0.03")
    assert len(seen) == 6


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([http(400), http(400)], Refused),
        ([http(400), http(502), http(401)], Unknown),
        ([http(404), http(502), http(404)], Unknown),
        ([http(429), http(200, {"choices": []}), http(400)], BadAnswer),
        ([http(200, {"choices": []}), http(502)], Unknown),
    ],
)
async def test_if_nothing_came_the_failure_counts_that_may_have_cost_most(
    connect: Connect, serve: Serve, answers: list[bytes], expected: type
) -> None:
    request = ImageRequest(model=GEMINI, prompt="x", n=len(answers))
    server = await serve(by_path(chat_completions=answers))
    outcome, seen = await ask(connect, server, request)
    assert type(outcome) is expected
    assert paths(seen) == [CHAT] * len(answers)


async def test_costs_without_pictures_are_summed(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(200, {"choices": [], "usage": {"cost": 0.25}})))
    outcome, _ = await ask(connect, server, ImageRequest(model=GEMINI, prompt="x", n=2))
    assert outcome == BadAnswer(reason="the model gave no picture", cost_usd=Decimal("0.5"))


@pytest.mark.parametrize("answer", [http(200, drawn()), http(502), http(400)])
async def test_a_model_of_the_images_route_that_gives_one_a_call_is_asked_for_one(
    connect: Connect, serve: Serve, answer: bytes
) -> None:
    is_good = answer.startswith(b"HTTP/1.1 200")
    singles = http(200, data({"b64_json": ENCODED}, cost=0.01)) if is_good else answer
    handler = by_path(images=[http(400, {"error": {"message": "n must be 1"}}), singles])
    request = ImageRequest(model=FLUX, prompt="x", n=3)
    outcome, seen = await ask(connect, await serve(handler), request, route="images")
    assert isinstance(outcome, ImageAnswer) is is_good
    assert [request.json["n"] for request in seen] == ([3, 1, 1, 1] if is_good else [3, 1])


async def test_several_calls_have_one_deadline(connect: Connect, serve: Serve) -> None:
    first = True

    async def handle(connection: Connection) -> None:
        nonlocal first
        await connection.request()
        is_first, first = first, False
        if not is_first:
            await connection.hold()
        await connection.send(http(200, drawn()))

    server = await serve(handle)
    images = OpenRouterImages(connect(server.url, seconds=0.6))
    outcome = await images.generate(ImageRequest(model=GEMINI, prompt="x", n=3))
    assert outcome == ImageAnswer(pictures=(Picture(content=PNG),))


# --- against the simulator --------------------------------------------------------------------


@pytest.mark.parametrize("model", [GEMINI, FLUX, GPT_5, DALL_E, "bytedance-seed/seedream-4.5"])
@pytest.mark.parametrize("route", ["auto", "images"])
@pytest.mark.parametrize("count", [1, 2])
async def test_every_model_draws_as_often_as_asked(
    clients: OpenRouterClients, model: str, route: str, count: int
) -> None:
    request = ImageRequest(model=model, prompt="a fox", n=count)
    outcome = await OpenRouterImages(clients, route=route).generate(request)
    assert isinstance(outcome, ImageAnswer)
    assert [type_of(found.content) for found in outcome.pictures] == [MediaType.PNG] * count
    assert outcome.cost_usd is not None
    assert outcome.cost_usd >= count * Decimal("0.03")


async def test_the_old_route_draws_where_there_is_one(connect: Connect) -> None:
    async with serve_simulator(SimulatorOptions(legacy_images=True)) as running:
        images = OpenRouterImages(connect(running.url))
        request = ImageRequest(model=DALL_E, prompt="a fox", size="1792x1024", n=2)
        outcome = await images.generate(request)
        assert isinstance(outcome, ImageAnswer)
        assert [type_of(found.content) for found in outcome.pictures] == [MediaType.PNG] * 2
        routes = running.simulator.journal.summary()["by_route"]
        assert list(routes) == ["POST /api/v1/images/generations"]


@pytest.mark.parametrize("route", ["auto", "images"])
@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("sim:nocost", ImageAnswer),
        *FAILURES,
        ("sim:garbage", BadAnswer),
        ("sim:empty", BadAnswer),
        ("sim:noimage", BadAnswer),
        ("sim:truncated", BadAnswer),
    ],
)
async def test_what_the_simulator_does_has_a_name(
    clients: OpenRouterClients,
    simulator: RunningSimulator,
    keyword: str,
    route: str,
    expected: type,
) -> None:
    request = ImageRequest(model=GEMINI, prompt=f"a fox {keyword}")
    outcome = await OpenRouterImages(clients, route=route).generate(request)
    assert type(outcome) is expected
    calls = 2 if (keyword, route) == ("sim:notfound", "auto") else 1
    assert len(simulator.simulator.journal.entries()) == calls


async def test_a_picture_is_edited(clients: OpenRouterClients) -> None:
    for route in ("auto", "images"):
        images = OpenRouterImages(clients, route=route)
        plain = await images.generate(ImageRequest(model=GEMINI, prompt="a fox"))
        edited = await images.generate(ImageRequest(model=GEMINI, prompt="a fox"), SOURCE)
        assert isinstance(plain, ImageAnswer)
        assert isinstance(edited, ImageAnswer)
        assert edited.pictures != plain.pictures
