"""Webhooks of finished videos."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aigen.adapters.openrouter.simulator import RunningSimulator
from aigen.adapters.openrouter.simulator.server import listening
from aigen.adapters.openrouter.simulator.webhooks import signature

Ask = Callable[..., Awaitable[httpx.Response]]


class Receiver:
    """The application that is called back."""

    def __init__(self) -> None:
        self.deliveries: asyncio.Queue[tuple[httpx.Headers, bytes]] = asyncio.Queue()
        self.url = ""
        self.app = Starlette(routes=[Route("/hook", self.receive, methods=["POST"])])

    async def receive(self, request: Request) -> Response:
        body = await request.body()
        await self.deliveries.put((httpx.Headers(request.headers.raw), body))
        return Response(status_code=500)  # which the simulator must not mind

    async def next(self) -> tuple[httpx.Headers, bytes]:
        return await asyncio.wait_for(self.deliveries.get(), timeout=5)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with listening(receiver.app) as origin:
        receiver.url = f"{origin}/hook"
        yield receiver


def test_the_signature_is_that_of_the_contract() -> None:
    body = (
        b'{"type":"video.generation.completed","created_at":"2026-04-24T12:00:00.000Z",'
        b'"data":{"id":"abc123","status":"completed"}}'
    )
    assert signature("dev_secret", 1777032000, body) == (
        "t=1777032000,v1=74f19df2f2ef9c9025387ca026600090bbe48f764021628fb813ba0b7c1798ec"
    )


async def test_a_completed_video_is_announced(finished: Ask, receiver: Receiver) -> None:
    done = (await finished("a fox", callback_url=receiver.url)).json()
    headers, body = await receiver.next()
    event = json.loads(body)
    assert event["type"] == "video.generation.completed"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["created_at"])
    assert event["data"] == {
        "id": done["id"],
        "status": "completed",
        "generation_id": done["generation_id"],
        "model": "google/veo-3.1-lite",
        "unsigned_urls": done["unsigned_urls"],
        "usage": done["usage"],
    }
    assert headers["Content-Type"] == "application/json"
    assert headers["X-OpenRouter-Idempotency-Key"] == f"{done['id']}-completed"
    assert "X-OpenRouter-Signature" not in headers


@pytest.mark.parametrize("end", ["failed", "cancelled", "expired"])
async def test_other_ends_are_announced_too(finished: Ask, receiver: Receiver, end: str) -> None:
    word = "fail=No_luck" if end == "failed" else end
    await finished(f"a fox sim:{word}", callback_url=receiver.url)
    event = json.loads((await receiver.next())[1])
    assert event["type"] == f"video.generation.{end}"
    assert event["data"]["error"]


async def test_a_webhook_is_signed_if_there_is_a_secret(
    finished: Ask, receiver: Receiver, running: RunningSimulator
) -> None:
    running.simulator.change(webhook_secret="s3cret")
    await finished("a fox", callback_url=receiver.url)
    headers, body = await receiver.next()
    told = headers["X-OpenRouter-Signature"]
    time = int(told.removeprefix("t=").partition(",")[0])
    assert told == signature("s3cret", time, body)


async def test_webhooks_can_come_twice(
    finished: Ask, receiver: Receiver, running: RunningSimulator
) -> None:
    running.simulator.change(webhook_copies=2)
    await finished("a fox", callback_url=receiver.url)
    first, second = await receiver.next(), await receiver.next()
    assert first[1] == second[1]
    key = "X-OpenRouter-Idempotency-Key"
    assert first[0][key] == second[0][key]


async def test_a_video_by_the_clock_is_announced_without_a_poll(
    video: Ask, receiver: Receiver
) -> None:
    job = (await video("a fox sim:sleep=0", callback_url=receiver.url)).json()
    assert json.loads((await receiver.next())[1])["data"]["id"] == job["id"]


async def test_nobody_need_listen(
    finished: Ask, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    done = (await finished("a fox", callback_url="http://127.0.0.1:1/hook")).json()
    assert (await client.get(f"/videos/{done['id']}")).json()["status"] == "completed"
    assert receiver.deliveries.empty()


async def test_callbacks_can_be_bound_to_https(video: Ask, running: RunningSimulator) -> None:
    running.simulator.change(https_callbacks_only=True)
    assert (await video("a fox", callback_url="http://a.example/hook")).status_code == 400
    assert (await video("a fox", callback_url="https://a.example/hook")).status_code == 202
