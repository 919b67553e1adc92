"""POST /videos, polls and content as the contract has them."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from aigen.adapters.openrouter.simulator import RunningSimulator

Ask = Callable[..., Awaitable[httpx.Response]]
Look = Callable[[], Awaitable[Any]]

VEO = {"model": "google/veo-3.1"}
SORA = {"model": "openai/sora-2"}
KLING = {"model": "kwaivgi/kling-v3.0-pro"}


def frame(content: bytes = b"a picture", kind: str = "first_frame") -> dict[str, Any]:
    url = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return {"type": "image_url", "image_url": {"url": url}, "frame_type": kind}


async def test_a_video_is_accepted_pending_in_progress_and_completed(
    video: Ask, client: httpx.AsyncClient
) -> None:
    submitted = await video("a fox")
    job = submitted.json()
    assert submitted.status_code == 202
    assert set(job) == {"id", "polling_url", "status"}
    assert job["polling_url"] == f"/api/v1/videos/{job['id']}"
    assert job["status"] == "pending"
    first, second, third = [(await client.get(f"/videos/{job['id']}")).json() for _ in range(3)]
    assert first["status"] == "in_progress"
    assert "usage" not in first
    assert second["status"] == "completed"
    assert second["usage"] == {"cost": 0.2, "is_byok": False}
    assert third == second


async def test_each_post_is_a_job_of_its_own(video: Ask, summary: Look) -> None:
    ids = {(await video("a fox")).json()["id"] for _ in range(3)}
    assert len(ids) == 3
    assert (await summary())["jobs_accepted"] == 3


async def test_content_needs_the_key_although_its_url_is_called_unsigned(
    finished: Ask, client: httpx.AsyncClient
) -> None:
    done = (await finished("a fox")).json()
    fetched = await client.get(done["unsigned_urls"][0])
    assert fetched.headers["Content-Type"] == "video/mp4"
    assert "Content-Length" not in fetched.headers
    del client.headers["Authorization"]
    assert (await client.get(done["unsigned_urls"][0])).status_code == 401
    stored = await client.get(done["urls"][0])
    assert stored.content == fetched.content
    assert (await client.get(done["urls"][0] + "0")).status_code == 403


async def test_clips_follow_from_prompt_picture_and_shape(
    finished: Ask, client: httpx.AsyncClient
) -> None:
    async def clip(prompt: str, **more: Any) -> bytes:
        done = (await finished(prompt, **more)).json()
        return (await client.get(f"/videos/{done['id']}/content")).content

    fox = await clip("a fox")
    assert await clip("a fox") == fox
    assert await clip("a hen") != fox
    assert await clip("a fox", aspect_ratio="9:16") != fox
    assert await clip("a fox", frame_images=[frame()]) != fox
    assert await clip("a fox", frame_images=[frame(b"another")]) != await clip(
        "a fox", frame_images=[frame()]
    )


async def test_unfinished_content_is_409_or_400(
    video: Ask, client: httpx.AsyncClient, running: RunningSimulator
) -> None:
    path = f"/videos/{(await video('a fox')).json()['id']}/content"
    assert (await client.get(path)).status_code == 409
    running.simulator.change(unfinished_content_status=400)
    assert (await client.get(path)).status_code == 400


@pytest.mark.parametrize(("index", "status"), [("1", 404), ("-1", 400), ("x", 400), ("0", 200)])
async def test_there_is_one_output(
    finished: Ask, client: httpx.AsyncClient, index: str, status: int
) -> None:
    done = (await finished("a fox")).json()
    response = await client.get(f"/videos/{done['id']}/content", params={"index": index})
    assert response.status_code == status


async def test_unknown_jobs_are_404(client: httpx.AsyncClient) -> None:
    for path in ("/videos/gen-vid-1-nothing", "/videos/gen-vid-1-nothing/content"):
        response = await client.get(path)
        assert response.status_code == 404
        assert response.json()["error"]["code"] == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"duration": 5},
        {"duration": 0},
        {"duration": "4"},
        {"duration": True},
        {"resolution": "4K"},
        {"resolution": "721p"},
        {"aspect_ratio": "1:1"},
        {"size": "1280x720"},
        VEO | {"size": "1280x721"},
        VEO | {"size": "1280x720", "aspect_ratio": "9:16"},
        VEO | {"size": "1280x720", "resolution": "1080p"},
        {"frame_images": [frame(kind="middle_frame")]},
        SORA | {"frame_images": [frame(kind="last_frame")]},
        {"frame_images": ["data:image/png;base64,YQ=="]},
        {"frame_images": [{"frame_type": "first_frame", "image_url": {}}]},
        {"input_references": [{"type": "text"}]},
        KLING | {"generate_audio": True, "duration": 5},
        {"upscale_factor": 2},
        {"callback_url": "ftp://a.example"},
        {"callback_url": "/hooks"},
        {"previous_job_id": "gen-vid-1-x"},
        VEO | {"previous_job_id": "gen-vid-1-x"},
        {"session_id": "x" * 257},
        {"prompt": None},
        {"prompt": ""},
        {"model": None},
        {"model": "google/veo-9"},
        {"model": "openai/gpt-4o-mini"},
    ],
)
async def test_what_the_model_cannot_do_is_400(
    video: Ask, summary: Look, asked: dict[str, Any]
) -> None:
    response = await video("a fox", **asked)
    assert response.status_code == 400
    assert (await summary())["jobs_accepted"] == 0


async def test_an_unknown_model_is_named(video: Ask) -> None:
    response = await video("a fox", model="google/veo-9")
    assert response.json()["error"]["message"] == "google/veo-9 is not a valid model ID"


@pytest.mark.parametrize(
    ("asked", "cost"),
    [
        (VEO | {"duration": 8}, 3.2),
        (VEO | {"duration": None}, 3.2),
        (VEO | {"duration": 4, "resolution": "4K"}, 2.4),
        (VEO | {"duration": 4, "size": "3840x2160"}, 2.4),
        ({"duration": 6, "resolution": "1080p"}, 0.48),
        ({"model": "minimax/hailuo-2.3", "duration": 10}, 0.28),
    ],
)
async def test_the_cost_is_that_of_length_and_resolution(
    finished: Ask, asked: dict[str, Any], cost: float
) -> None:
    assert (await finished("a fox", **asked)).json()["usage"]["cost"] == cost


async def test_some_models_need_no_words_if_they_get_a_picture(video: Ask) -> None:
    asked = KLING | {"duration": 5, "prompt": None}
    assert (await video("", **asked)).status_code == 400
    assert (await video("", **asked, frame_images=[frame()])).status_code == 202


async def test_a_job_can_go_on_from_a_completed_one(video: Ask, finished: Ask) -> None:
    done = (await finished("a fox")).json()
    more = VEO | {"previous_job_id": done["id"]}
    assert (await video("and then", **more)).status_code == 202


async def test_audio_and_video_references_are_ignored(video: Ask) -> None:
    references = [{"type": "audio_url", "audio_url": {"url": "https://a.example/a.mp3"}}]
    assert (await video("a fox", input_references=references)).status_code == 202


async def test_how_jobs_are_told_can_be_switched(
    video: Ask, client: httpx.AsyncClient, running: RunningSimulator
) -> None:
    running.simulator.change(
        job_id_style="short",
        polling_url_style="absolute",
        generation_id_at_submit=True,
        video_polls=1,
        unsigned_urls=False,
        expires_at=False,
    )
    job = (await video("a fox")).json()
    assert len(job["id"]) == 20
    assert job["id"].isalnum()
    assert job["polling_url"] == f"{running.url}/videos/{job['id']}"
    assert job["generation_id"]
    done = (await client.get(job["polling_url"])).json()
    assert done["status"] == "completed"
    assert done["generation_id"] == job["generation_id"]
    assert "urls" in done
    assert not {"unsigned_urls", "expires_at"} & set(done)
    running.simulator.change(signed_urls=False)
    assert "urls" not in (await client.get(job["polling_url"])).json()


async def test_failed_videos_cost_nothing_unless_switched(
    finished: Ask, summary: Look, running: RunningSimulator
) -> None:
    assert "usage" not in (await finished("a fox sim:fail")).json()
    assert (await summary())["total_cost_usd"] == 0
    running.simulator.change(failed_videos_cost=True)
    assert (await finished("a fox sim:fail")).json()["usage"]["cost"] == 0.2
    assert (await summary())["total_cost_usd"] == 0.2


async def test_old_finished_jobs_are_forgotten(
    finished: Ask, video: Ask, client: httpx.AsyncClient, running: RunningSimulator
) -> None:
    running.simulator.change(finished_jobs=2)
    waiting = (await video("a fox")).json()["id"]
    ids = [(await finished("a fox")).json()["id"] for _ in range(3)]
    answers = [(await client.get(f"/videos/{job_id}")).status_code for job_id in [waiting, *ids]]
    assert answers == [200, 404, 200, 200]
