"""A running simulator and the shortest ways to ask it something."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from aigen.adapters.openrouter.simulator import RunningSimulator, serve_simulator

# Its checks are not in test modules, and are to say as much when they fail.
pytest.register_assert_rewrite("tests.simulator.keyword_checks")

Ask = Callable[..., Awaitable[httpx.Response]]
Look = Callable[[], Awaitable[Any]]

# Shared, since reading the certificates takes longer than most tests, and nothing here uses TLS.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture
async def running() -> AsyncIterator[RunningSimulator]:
    async with serve_simulator() as running:
        yield running


@pytest.fixture
async def client(running: RunningSimulator) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": "Bearer sk-or-v1-test"}
    async with httpx.AsyncClient(
        base_url=running.url, headers=headers, trust_env=False, verify=NO_TLS
    ) as client:
        yield client


@pytest.fixture
def chat(client: httpx.AsyncClient) -> Ask:
    async def ask(prompt: str, /, **more: Any) -> httpx.Response:
        messages = [{"role": "user", "content": prompt}]
        body = {"model": "openai/gpt-4o-mini", "messages": messages} | more
        return await client.post("/chat/completions", json=body)

    return ask


@pytest.fixture
def image(client: httpx.AsyncClient) -> Ask:
    async def ask(prompt: str, /, **more: Any) -> httpx.Response:
        body = {"model": "google/gemini-2.5-flash-image", "prompt": prompt} | more
        return await client.post("/images", json=body)

    return ask


@pytest.fixture
def video(client: httpx.AsyncClient) -> Ask:
    async def ask(prompt: str, /, **more: Any) -> httpx.Response:
        body = {"model": "google/veo-3.1-lite", "prompt": prompt, "duration": 4} | more
        return await client.post("/videos", json=body)

    return ask


@pytest.fixture
def finished(client: httpx.AsyncClient, video: Ask) -> Ask:
    """Submit and poll to the end; the answer is the last poll's."""

    async def ask(prompt: str, /, **more: Any) -> httpx.Response:
        submitted = (await video(prompt, **more)).json()
        polls = [await client.get(f"/videos/{submitted['id']}") for _ in range(2)]
        return polls[-1]

    return ask


@pytest.fixture
def summary(client: httpx.AsyncClient, running: RunningSimulator) -> Look:
    async def ask() -> Any:
        return (await client.get(f"{running.origin}/simulator/summary")).json()

    return ask
