"""serve_simulator comes and goes without a trace."""

import asyncio
import signal

import httpx
import pytest

from aigen.adapters.openrouter.simulator import Simulator, SimulatorOptions, serve_simulator


async def test_several_run_side_by_side() -> None:
    options = SimulatorOptions(api_key="right")
    async with serve_simulator() as one, serve_simulator(options) as other:
        assert one.url != other.url
        assert one.url.endswith("/api/v1")
        async with httpx.AsyncClient(
            headers={"Authorization": "Bearer wrong"}, trust_env=False
        ) as client:
            assert (await client.get(f"{one.url}/key")).status_code == 200
            assert (await client.get(f"{other.url}/key")).status_code == 401


async def test_no_signal_handler_is_installed() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with serve_simulator():
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize("word", ["hang", "delay=3600", "slowstream=3600", "drip=3600"])
async def test_the_end_does_not_wait_for_stuck_requests(
    word: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with httpx.AsyncClient(
        headers={"Authorization": "Bearer k"}, trust_env=False, timeout=60
    ) as client:
        async with serve_simulator() as running:
            body = {"messages": [{"role": "user", "content": f"sim:{word}"}], "stream": True}
            request = asyncio.create_task(client.post(f"{running.url}/chat/completions", json=body))
            for _ in range(100):
                told = await client.get(f"{running.origin}/simulator/summary")
                if told.json()["accepted"]["chat"]:
                    break
            assert not request.done()
        with pytest.raises(httpx.TransportError):
            await request
    assert not caplog.records


async def test_a_port_can_be_chosen_and_is_free_afterwards() -> None:
    async with serve_simulator() as running:
        port = httpx.URL(running.url).port or 0
    async with serve_simulator(port=port) as again:
        assert httpx.URL(again.url).port == port


async def test_the_app_works_without_a_server() -> None:
    simulator = Simulator()
    transport = httpx.ASGITransport(simulator.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://or", headers={"Authorization": "Bearer k"}
    ) as client:
        body = {"model": "openai/sora-2", "prompt": "a fox"}
        assert (await client.post("/api/v1/videos", json=body)).status_code == 202
        with pytest.raises(ConnectionResetError):
            await client.post("/api/v1/videos", json=body | {"prompt": "sim:reset"})
    await simulator.close()


@pytest.mark.parametrize(("method", "status"), [("GET", 405), ("POST", 404)])
async def test_errors_of_routing_are_json_too(
    client: httpx.AsyncClient, method: str, status: int
) -> None:
    path = "/videos" if method == "GET" else "/embeddings"
    response = await client.request(method, path)
    assert response.status_code == status
    assert response.json()["error"]["code"] == status
