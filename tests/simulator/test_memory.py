"""Jobs that outlive a simulator."""

from pathlib import Path

import httpx

from aigen.adapters.openrouter.simulator import Simulator, SimulatorOptions, serve_simulator
from tests.simulator.conftest import NO_TLS

HEADERS = {"Authorization": "Bearer sk-or-v1-test"}
BODY = {"model": "google/veo-3.1-lite", "prompt": "a fox sim:nocost", "duration": 4}


def simulator(file: Path, now: float) -> Simulator:
    options = SimulatorOptions(video_seconds=10.0)
    return Simulator(options, clock=lambda: now, memory=file)


async def test_a_job_is_finished_by_the_simulator_that_comes_after_a_crash(tmp_path: Path) -> None:
    file = tmp_path / "jobs"
    async with (
        serve_simulator(simulator(file, 1000.0)) as first,
        httpx.AsyncClient(headers=HEADERS, verify=NO_TLS) as client,
    ):
        job = (await client.post(f"{first.url}/videos", json=BODY)).json()
        early = (await client.get(f"{first.url}/videos/{job['id']}")).json()
    file.write_text(file.read_text() + '{"id": "cut')
    async with (
        serve_simulator(simulator(file, 1010.0)) as second,
        httpx.AsyncClient(headers=HEADERS, verify=NO_TLS) as client,
    ):
        late = (await client.get(f"{second.url}/videos/{job['id']}")).json()
        content = await client.get(f"{second.url}/videos/{job['id']}/content")
        asked = f"{second.url}/generation?id={late['generation_id']}"
        costs = [await client.get(asked) for _ in range(2)]
    assert early["status"] == "in_progress"
    assert late["status"] == "completed"
    assert "usage" not in late  # its keywords were remembered, too
    assert [answer.status_code for answer in costs] == [404, 200]
    assert costs[1].json()["data"]["total_cost"] == 0.2
    assert second.simulator.journal.summary()["jobs_accepted"] == 0
    assert late["urls"][0].startswith(second.origin)
    assert content.content[4:8] == b"ftyp"
