"""What depends on the clock, with a clock that is moved by hand."""

from collections.abc import AsyncIterator

import httpx
import pytest

from aigen.adapters.openrouter.simulator import RunningSimulator, Simulator, serve_simulator

NOON = 1_800_000_000.0


class Time:
    """A clock and a sleep that only tests move."""

    def __init__(self) -> None:
        self.now = NOON
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def running(time: Time) -> AsyncIterator[RunningSimulator]:
    simulator = Simulator(clock=time.clock, sleep=time.sleep)
    async with serve_simulator(simulator) as running:
        yield running


async def submit(client: httpx.AsyncClient, prompt: str = "a fox") -> str:
    body = {"model": "openai/sora-2", "prompt": prompt}
    job_id: str = (await client.post("/videos", json=body)).json()["id"]
    return job_id


async def status(client: httpx.AsyncClient, job_id: str) -> str:
    told: str = (await client.get(f"/videos/{job_id}")).json()["status"]
    return told


async def test_videos_can_go_by_the_clock(
    client: httpx.AsyncClient, running: RunningSimulator, time: Time
) -> None:
    running.simulator.change(video_seconds=30)
    job_id = await submit(client)
    assert [await status(client, job_id) for _ in range(5)] == ["in_progress"] * 5
    time.now += 29.9
    assert await status(client, job_id) == "in_progress"
    time.now += 0.1
    assert await status(client, job_id) == "completed"


async def test_a_word_sets_the_time_of_one_video(client: httpx.AsyncClient, time: Time) -> None:
    slow, quick = await submit(client, "a fox sim:sleep=100"), await submit(client)
    await status(client, quick)
    assert await status(client, quick) == "completed"
    assert await status(client, slow) == "in_progress"
    time.now += 100
    assert (await client.get(f"/videos/{slow}/content")).status_code == 200
    assert await status(client, slow) == "completed"


async def test_finished_videos_expire(client: httpx.AsyncClient, time: Time) -> None:
    job_id = await submit(client)
    polls = [await client.get(f"/videos/{job_id}") for _ in range(2)]
    done = polls[-1].json()
    assert done["expires_at"] == NOON + 86_400
    time.now += 86_401
    assert (await client.get(f"/videos/{job_id}/content")).status_code == 410
    assert (await client.get(done["urls"][0])).status_code == 403


async def test_legacy_urls_expire(
    client: httpx.AsyncClient, running: RunningSimulator, time: Time
) -> None:
    running.simulator.change(legacy_images=True)
    made = await client.post("/images/generations", json={"prompt": "a fox"})
    url = made.json()["data"][0]["url"]
    time.now += 3600
    assert (await client.get(url)).status_code == 200
    time.now += 1
    assert (await client.get(url)).status_code == 403


async def test_ids_and_journal_tell_the_clocks_time(
    client: httpx.AsyncClient, running: RunningSimulator
) -> None:
    assert (await submit(client)).startswith("gen-vid-1800000000-")
    entries = (await client.get(f"{running.origin}/simulator/journal")).json()["entries"]
    assert entries[0]["at"] == "2027-01-15T08:00:00.000+00:00"


async def test_drawing_and_speaking_can_take_their_time(
    client: httpx.AsyncClient, running: RunningSimulator, time: Time
) -> None:
    running.simulator.change(image_seconds=4, chunk_seconds=0.5)
    body = {"model": "black-forest-labs/flux.2-pro", "prompt": "a fox"}
    await client.post("/images", json=body)
    assert time.slept == [4]
    words = {"messages": [{"role": "user", "content": "hi"}], "stream": True}
    await client.post("/chat/completions", json=words)
    assert len(time.slept) > 20
    assert set(time.slept[1:]) == {0.5}
