"""Keys, money and generations."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from aigen.adapters.openrouter.simulator import RunningSimulator

Ask = Callable[..., Awaitable[httpx.Response]]

CLOSED = [
    ("POST", "/chat/completions"),
    ("POST", "/images"),
    ("POST", "/videos"),
    ("GET", "/videos/some"),
    ("GET", "/videos/some/content"),
    ("GET", "/key"),
    ("GET", "/credits"),
    ("GET", "/generation?id=some"),
]
OPEN = [
    "/models",
    "/images/models",
    "/images/models/openai/gpt-5-image/endpoints",
    "/videos/models",
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc"])
async def test_a_key_is_needed(
    client: httpx.AsyncClient, method: str, path: str, header: str | None
) -> None:
    del client.headers["Authorization"]
    headers = {} if header is None else {"Authorization": header}
    response = await client.request(method, path, headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["message"] == "Missing Authentication header"


@pytest.mark.parametrize("path", OPEN)
async def test_listings_need_no_key(client: httpx.AsyncClient, path: str) -> None:
    del client.headers["Authorization"]
    assert (await client.get(path)).status_code == 200


async def test_a_certain_key_can_be_required(
    client: httpx.AsyncClient, chat: Ask, running: RunningSimulator
) -> None:
    running.simulator.change(api_key="sk-or-v1-right")
    assert (await chat("hello")).status_code == 401
    client.headers["Authorization"] = "Bearer sk-or-v1-right"
    assert (await chat("hello")).status_code == 200


async def test_the_right_to_pay_ends_with_the_credits(
    video: Ask, chat: Ask, client: httpx.AsyncClient, running: RunningSimulator
) -> None:
    running.simulator.change(credits_usd=0.5, management_key=True)
    assert [(await video("a fox")).status_code for _ in range(3)] == [202, 202, 402]
    assert (await client.get("/credits")).json()["data"] == {
        "total_credits": 0.5,
        "total_usage": 0.4,
    }
    assert (await chat("hello")).status_code == 200
    assert (await client.get("/key")).status_code == 200


async def test_a_key_can_have_a_limit(
    video: Ask, client: httpx.AsyncClient, running: RunningSimulator
) -> None:
    running.simulator.change(key_limit_usd=0.3)
    assert (await video("a fox")).status_code == 202
    refused = await video("a fox")
    assert refused.status_code == 402
    assert "limit" in refused.json()["error"]["message"].lower()
    key = (await client.get("/key")).json()["data"]
    assert (key["limit"], key["usage"]) == (0.3, 0.2)
    assert key["limit_remaining"] == pytest.approx(0.1)


async def test_endless_credits_stay_ahead_of_the_usage(
    video: Ask, client: httpx.AsyncClient, running: RunningSimulator
) -> None:
    running.simulator.change(management_key=True)
    await video("a fox")
    credit = (await client.get("/credits")).json()["data"]
    assert credit["total_credits"] - credit["total_usage"] == 1000


async def test_a_generation_is_found_late(
    chat: Ask, client: httpx.AsyncClient, running: RunningSimulator
) -> None:
    running.simulator.change(generation_misses=2)
    said = await chat("hello")
    params = {"id": said.headers["X-Generation-Id"]}
    answers = [await client.get("/generation", params=params) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 200, 200]
    assert answers[2].json()["data"]["total_cost"] == said.json()["usage"]["cost"]


async def test_a_video_is_a_generation_once_it_has_ended(
    video: Ask, client: httpx.AsyncClient, running: RunningSimulator
) -> None:
    running.simulator.change(generation_misses=0, generation_id_at_submit=True)
    done, failed = [(await video(prompt)).json() for prompt in ("a fox", "a fox sim:fail")]
    costs = []
    for job in (done, failed):
        params = {"id": job["generation_id"]}
        assert (await client.get("/generation", params=params)).status_code == 404
        for _ in range(2):
            await client.get(f"/videos/{job['id']}")
        data = (await client.get("/generation", params=params)).json()["data"]
        assert data["api_type"] == "video"
        costs.append(data["total_cost"])
    assert costs == [0.2, 0]


async def test_a_generation_needs_an_id(client: httpx.AsyncClient) -> None:
    assert (await client.get("/generation")).status_code == 400
    assert (await client.get("/generation?id=gen-nothing")).status_code == 404


async def test_error_types_can_be_left_out(video: Ask, running: RunningSimulator) -> None:
    assert (await video("a fox", duration=5)).json()["error"]["metadata"]
    running.simulator.change(error_types=False)
    assert "metadata" not in (await video("a fox", duration=5)).json()["error"]
