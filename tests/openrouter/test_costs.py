"""Costs that an answer leaves open: the ids that it gives, and what asking for them brings."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from aigen.adapters.openrouter import wire
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.costs import OpenRouterCosts
from aigen.adapters.openrouter.images import OpenRouterImages
from aigen.adapters.openrouter.simulator import RunningSimulator, SimulatorOptions, serve_simulator
from aigen.adapters.openrouter.texts import OpenRouterTexts
from aigen.adapters.openrouter.videos import OpenRouterVideos
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.texts import TextRequest
from aigen.ports.provider import (
    Accepted,
    BadAnswer,
    Done,
    Ended,
    Failure,
    ImageAnswer,
    PollOutcome,
    TextAnswer,
    Unreachable,
    VideoSubmission,
)
from tests.openrouter.conftest import KEY, Connect, Serve
from tests.openrouter.servers import Connection, answering, http
from tests.openrouter.test_wire import JSON

ID = "gen-1784755927-jQCaqCF0bQXeUfk77eAH"
OTHER = "gen-1784755928-aBCaqCF0bQXeUfk77eAH"
UNREADABLE = Unreachable(reason="the provider's answer cannot be read")
GEMINI = "google/gemini-2.5-flash-image"


# --- against the simulator --------------------------------------------------------------------


async def text(clients: OpenRouterClients, words: str) -> TextAnswer | Failure:
    return await OpenRouterTexts(clients).complete(
        TextRequest(model="openai/gpt-4o-mini", prompt=f"a fox {words}")
    )


async def streamed_text(clients: OpenRouterClients, words: str) -> object:
    request = TextRequest(model="openai/gpt-4o-mini", prompt=f"a fox {words}")
    *_, last = [piece async for piece in OpenRouterTexts(clients).stream(request)]
    return last


async def picture(clients: OpenRouterClients, words: str) -> ImageAnswer | Failure:
    request = ImageRequest(model=GEMINI, prompt=f"a fox {words}")
    return await OpenRouterImages(clients).generate(request)


async def picture_by_images(clients: OpenRouterClients, words: str) -> ImageAnswer | Failure:
    request = ImageRequest(model="openai/gpt-5-image", prompt=f"a fox {words}", n=2)
    return await OpenRouterImages(clients, route="images").generate(request)


async def film(clients: OpenRouterClients, words: str) -> PollOutcome:
    videos = OpenRouterVideos(clients)
    submission = VideoSubmission(
        model="google/veo-3.1-lite", prompt=f"a fox {words}", duration=4, resolution="720p"
    )
    job = await videos.submit(submission)
    assert isinstance(job, Accepted)
    await videos.poll(job.provider_job_id, job.polling_url)
    return await videos.poll(job.provider_job_id, job.polling_url)


ALL = (text, streamed_text, picture, picture_by_images, film)


@pytest.mark.parametrize("ask", ALL)
async def test_a_cost_that_is_not_told_can_be_asked_for_later(
    clients: OpenRouterClients, simulator: RunningSimulator, ask: Any
) -> None:
    simulator.simulator.change(generation_misses=2)
    told = await ask(clients, "")
    assert told.cost_usd > 0
    assert told.generation_ids == ()
    silent = await ask(clients, "sim:nocost")
    assert silent.cost_usd is None
    (known_as,) = silent.generation_ids
    costs = OpenRouterCosts(clients)
    first, second, third, again = [await costs.cost_of(known_as) for _ in range(4)]
    assert (first, second) == (None, None)
    assert isinstance(third, Decimal)
    # The prompt is a little longer by the keyword.
    assert told.cost_usd <= third < told.cost_usd * 2
    assert again == third


async def test_several_pictures_have_an_id_for_each_call(clients: OpenRouterClients) -> None:
    request = ImageRequest(model=GEMINI, prompt="a fox sim:nocost", n=3)
    answer = await OpenRouterImages(clients).generate(request)
    assert isinstance(answer, ImageAnswer)
    assert len(set(answer.generation_ids)) == 3


@pytest.mark.parametrize("keyword", ["sim:noimage", "sim:truncated"])
async def test_an_answer_that_is_none_has_a_cost_to_ask_for_as_well(
    clients: OpenRouterClients, keyword: str
) -> None:
    answer = await picture(clients, f"sim:nocost {keyword}")
    assert isinstance(answer, BadAnswer)
    assert len(answer.generation_ids) == 1


@pytest.mark.parametrize("is_charged", [False, True])
async def test_a_film_that_failed_costs_what_the_provider_says(
    connect: Connect, is_charged: bool
) -> None:
    options = SimulatorOptions(generation_misses=0, failed_videos_cost=is_charged)
    async with serve_simulator(options) as running:
        clients = connect(running.url)
        outcome = await film(clients, "sim:nocost sim:fail")
        assert isinstance(outcome, Ended)
        (known_as,) = outcome.generation_ids
        expected = Decimal("0.2" if is_charged else 0)
        assert await OpenRouterCosts(clients).cost_of(known_as) == expected


# --- the ids ----------------------------------------------------------------------------------

BAD_IDS: list[object] = [
    *(None, 7, True, ["gen-1"], {"id": "gen-1"}),
    *("", "gen-", "chatcmpl-1", "gen-a b", "gen-ü", "gen-a\n", "gen-" + "x" * 101),
    *("\ud800", "gen-1&id=gen-2", "gen-../key"),
]


@pytest.mark.parametrize("told", BAD_IDS)
async def test_what_is_no_id_of_a_generation_is_not_taken_for_one(
    connect: Connect, serve: Serve, told: object
) -> None:
    said = {"id": told, "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}
    clients = connect((await serve(answering(http(200, said)))).url)
    answer = await text(clients, "")
    assert isinstance(answer, TextAnswer)
    assert answer.generation_ids == ()
    ended = {"id": "job", "status": "completed", "generation_id": told}
    videos = OpenRouterVideos(connect((await serve(answering(http(200, ended)))).url))
    assert await videos.poll("job", None) == Done()


async def test_of_several_calls_those_are_named_that_told_no_cost(
    connect: Connect, serve: Serve
) -> None:
    bodies: list[dict[str, Any]] = [
        {"id": "gen-a", "usage": {"cost": 0.01}},
        {"id": "gen-b", "usage": {"cost": None}},
        {"id": "gen-c"},
    ]
    picture = {"image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    drawn = {"choices": [{"message": {"images": [picture]}}]}
    empty: dict[str, Any] = {"choices": []}
    left = [bodies[0] | drawn, bodies[1] | drawn, bodies[2] | empty]

    async def handle(connection: Connection) -> None:
        await connection.request()
        await connection.send(http(200, left.pop()))

    images = OpenRouterImages(connect((await serve(handle)).url))
    answer = await images.generate(ImageRequest(model=GEMINI, prompt="x", n=3))
    assert isinstance(answer, ImageAnswer)
    assert answer.cost_usd == Decimal("0.01")
    assert set(answer.generation_ids) == {"gen-b", "gen-c"}

    left = [bodies[2] | empty, bodies[1] | empty]
    failure = await images.generate(ImageRequest(model=GEMINI, prompt="x", n=2))
    assert isinstance(failure, BadAnswer)
    assert set(failure.generation_ids) == {"gen-b", "gen-c"}


@pytest.mark.parametrize("route", ["auto", "images"])
@pytest.mark.parametrize("body", [b"<html>", {"data": []}])
async def test_an_id_may_stand_in_the_headers_alone(
    connect: Connect, serve: Serve, route: str, body: object
) -> None:
    server = await serve(answering(http(200, body, X_Generation_Id=ID)))
    images = OpenRouterImages(connect(server.url), route=route)
    answer = await images.generate(ImageRequest(model=GEMINI, prompt="x"))
    assert isinstance(answer, BadAnswer)
    is_named = route == "images" or isinstance(body, bytes)
    assert answer.generation_ids == ((ID,) if is_named else ())


@given(JSON, JSON)
def test_no_id_is_too_long_or_strange(told: Any, cost: Any) -> None:
    ids = wire.unpriced(wire.generation_id(told), wire.usd(cost))
    assert all(found.isascii() and found.isprintable() and len(found) <= 104 for found in ids)


# --- answers of many shapes -------------------------------------------------------------------


async def cost(connect: Connect, serve: Serve, answer: bytes) -> object:
    server = await serve(answering(answer))
    found = await OpenRouterCosts(connect(server.url)).cost_of(ID)
    (seen,) = server.requests
    assert seen.target == f"/api/v1/generation?id={ID}"
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    return found


@pytest.mark.parametrize(
    ("told", "usd"),
    [
        (0.25, "0.25"),
        (0, "0"),
        (-0.0, "0"),
        ("0.25", "0.25"),
        (1e-07, "0.0000001"),
        (0.1 + 0.2, "0.3"),
    ],
)
async def test_a_cost_is_read_to_the_last_digit_that_is_kept(
    connect: Connect, serve: Serve, told: object, usd: str
) -> None:
    answer = http(200, {"data": {"id": ID, "total_cost": told, "usage": 7}})
    assert await cost(connect, serve, answer) == Decimal(usd)


@pytest.mark.parametrize(
    "told",
    [
        *("null", "true", "[1]", "{}", '""', '"x"'),
        *("-0.01", "1e6", "1e300", "1e999", "NaN", "Infinity", "-Infinity"),
        *("9" * 60, "1" + "0" * 5000, '"-1"', '"NaN"', '"1e999999999"'),
    ],
)
async def test_a_cost_that_is_not_believable_is_none(
    connect: Connect, serve: Serve, told: str
) -> None:
    body = f'{{"data": {{"id": "{ID}", "total_cost": {told}}}}}'
    assert await cost(connect, serve, http(200, body.encode())) == UNREADABLE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"data": {"id',
        b"[" * 100_000,
        [],
        {},
        {"data": None},
        {"data": []},
        {"data": {"total_cost": 0.25}},
        {"data": {"id": OTHER, "total_cost": 0.25}},
        {"data": {"id": [ID], "total_cost": 0.25}},
        {"id": ID, "total_cost": 0.25},
        {"data": {"id": ID, "usage": 0.25}},
    ],
)
async def test_an_answer_about_something_else_is_not_believed(
    connect: Connect, serve: Serve, body: object
) -> None:
    assert await cost(connect, serve, http(200, body)) == UNREADABLE


@pytest.mark.parametrize(
    "answer", [http(404), http(404, b"<html>"), http(200, {"error": {"code": 404}})]
)
async def test_what_is_not_found_is_not_known_yet(
    connect: Connect, serve: Serve, answer: bytes
) -> None:
    assert await cost(connect, serve, answer) is None


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 408, 429, 500, 502, 503])
async def test_any_other_answer_says_that_it_cannot_be_asked_now(
    connect: Connect, serve: Serve, status: int
) -> None:
    body = {"error": {"message": f"no, {KEY}"}, "data": {"id": ID, "total_cost": 0.25}}
    found = await cost(connect, serve, http(status, body, Retry_After="7"))
    assert isinstance(found, Unreachable)
    assert found.reason == "no, [key]"
    is_ours = status in {401, 402}
    assert (found.retry_after is None) == is_ours


async def test_the_key_does_not_follow_a_redirect(connect: Connect, serve: Serve) -> None:
    elsewhere = await serve(answering(http(200, {"data": {"id": ID, "total_cost": 1}})), tls=True)
    answer = http(302, location=f"{elsewhere.origin}/api/v1/generation?id={ID}")
    assert isinstance(await cost(connect, serve, answer), Unreachable)
    assert elsewhere.connections == 0


async def test_a_flood_is_not_read(connect: Connect, serve: Serve) -> None:
    async def flood(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await connection.send(b" " * 1024 * 1024)

    found = await OpenRouterCosts(connect((await serve(flood)).url)).cost_of(ID)
    assert found == Unreachable(reason="the provider's answer was too large")


async def test_a_provider_that_is_away_cannot_be_asked(connect: Connect) -> None:
    async with serve_simulator() as running:
        url = running.url
    assert isinstance(await OpenRouterCosts(connect(url)).cost_of(ID), Unreachable)


@pytest.mark.parametrize("wrong", ["", "gen-", "x", "gen-1&id=gen-2", "../key", "gen-\ud800"])
async def test_it_is_not_asked_for_what_is_no_id(
    connect: Connect, serve: Serve, wrong: str
) -> None:
    server = await serve(answering(http(500)))
    assert await OpenRouterCosts(connect(server.url)).cost_of(wrong) is None
    assert server.connections == 0
