"""The journal, the summary and the switches, for tests in other processes."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from aigen.adapters.openrouter.simulator import (
    OPTIONS_HELP,
    RunningSimulator,
    Simulator,
    SimulatorOptions,
)
from aigen.adapters.openrouter.simulator.journal import Journal

Ask = Callable[..., Awaitable[httpx.Response]]
Look = Callable[[], Awaitable[Any]]


@pytest.fixture
def entries(client: httpx.AsyncClient, running: RunningSimulator) -> Look:
    async def ask() -> Any:
        return (await client.get(f"{running.origin}/simulator/journal")).json()["entries"]

    return ask


async def test_the_journal_tells_what_was_asked_and_answered(
    video: Ask, client: httpx.AsyncClient, entries: Look
) -> None:
    job = (await video("a fox " + "x" * 300)).json()
    await client.get(job["polling_url"].removeprefix("/api/v1"))
    await client.get("/nowhere")
    submitted, polled, lost = await entries()
    assert submitted.pop("at")
    assert submitted == {
        "number": 1,
        "method": "POST",
        "path": "/api/v1/videos",
        "route": "POST /api/v1/videos",
        "model": "google/veo-3.1-lite",
        "prompt": "a fox " + "x" * 194,
        "accepted": True,
        "cost_usd": 0.2,
        "job_id": job["id"],
        "status": 202,
        "client_left": False,
    }
    assert polled["route"] == "GET /api/v1/videos/{job_id}"
    assert polled["job_id"] == job["id"]
    assert (polled["accepted"], polled["cost_usd"]) == (False, None)
    assert (lost["route"], lost["status"]) == ("GET (unknown)", 404)


async def test_a_lost_answer_leaves_an_accepted_entry_without_status(
    video: Ask, entries: Look
) -> None:
    with pytest.raises(httpx.ReadError):
        await video("a fox sim:reset")
    (entry,) = await entries()
    assert (entry["accepted"], entry["status"]) == (True, None)
    assert entry["job_id"]


async def test_refused_requests_are_described_too(image: Ask, entries: Look) -> None:
    await image("a fox sim:credits")
    (entry,) = await entries()
    assert (entry["prompt"], entry["accepted"]) == ("a fox sim:credits", False)
    assert entry["status"] == 402


async def test_the_summary_counts_by_route_and_status(
    chat: Ask, image: Ask, video: Ask, summary: Look
) -> None:
    await chat("hello")
    await image("a fox")
    await image("a fox sim:refuse")
    await video("a fox")
    with pytest.raises(httpx.ReadError):
        await video("a fox sim:reset")
    told = await summary()
    assert told["requests"] == 5
    assert told["by_route"] == {
        "POST /api/v1/chat/completions": {"200": 1},
        "POST /api/v1/images": {"200": 1, "400": 1},
        "POST /api/v1/videos": {"202": 1, "none": 1},
    }
    assert told["jobs_accepted"] == 2
    assert told["accepted"] == {"chat": 1, "images": 1, "videos": 2}
    assert told["total_cost_usd"] == pytest.approx(0.2 + 0.2 + 0.039, abs=0.001)
    assert told["jobs"] == {"unfinished": 2, "finished": 0}


async def test_the_journal_can_be_cleared(
    video: Ask, summary: Look, entries: Look, client: httpx.AsyncClient, running: RunningSimulator
) -> None:
    job = (await video("a fox")).json()
    response = await client.delete(f"{running.origin}/simulator/journal")
    assert response.status_code == 204
    assert await entries() == []
    told = await summary()
    assert (told["requests"], told["jobs_accepted"], told["total_cost_usd"]) == (0, 0, 0)
    assert (await client.get(f"/videos/{job['id']}")).status_code == 200


def test_the_journal_is_bounded_and_its_counts_are_not() -> None:
    journal = Journal()
    for _ in range(10):
        number = journal.open(at=0, method="GET", path="/x", route="GET /x", most=3)
        journal.answer(number, "GET /x", 200)
    assert [entry["number"] for entry in journal.entries()] == [8, 9, 10]
    assert journal.summary()["by_route"] == {"GET /x": {"200": 10}}


def test_what_was_open_when_the_journal_was_cleared_is_not_counted() -> None:
    journal = Journal()
    number = journal.open(at=0, method="GET", path="/x", route="GET /x", most=3)
    journal.clear()
    journal.answer(number, "GET /x", 200)
    assert journal.summary()["requests"] == 0


async def test_switches_are_turned_while_it_runs(
    client: httpx.AsyncClient, running: RunningSimulator, video: Ask
) -> None:
    path = f"{running.origin}/simulator/options"
    assert (await client.get(path)).json()["video_polls"] == 2
    told = await client.put(path, json={"video_polls": 1, "video_seconds": 3})
    assert told.status_code == 200
    assert (told.json()["video_polls"], told.json()["video_seconds"]) == (1, 3)
    assert running.simulator.options.video_polls == 1
    assert (await video("a fox")).status_code == 202


@pytest.mark.parametrize(
    "changes",
    [
        {"video_pols": 1},
        {"video_polls": 0},
        {"video_polls": "1"},
        {"video_polls": True},
        {"video_seconds": -1},
        {"video_seconds": "soon"},
        {"management_key": 1},
        {"job_id_style": "long"},
        {"api_key": 5},
        {"unfinished_content_status": 404},
    ],
)
async def test_wrong_switches_are_400_and_change_nothing(
    client: httpx.AsyncClient, running: RunningSimulator, changes: dict[str, Any]
) -> None:
    path = f"{running.origin}/simulator/options"
    response = await client.put(path, json={"webhook_copies": 3} | changes)
    assert response.status_code == 400
    assert next(iter(changes)) in response.json()["error"]["message"]
    assert running.simulator.options == SimulatorOptions()


def test_every_switch_is_explained() -> None:
    for name in SimulatorOptions.__annotations__:
        assert f"  {name} " in OPTIONS_HELP


def test_simulators_are_independent() -> None:
    one, other = Simulator(), Simulator()
    one.change(video_polls=7)
    assert other.options.video_polls == 2
    assert one.journal is not other.journal
