"""Videos are submitted once, and what comes back has one of few names."""

from typing import Any

import pytest

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.simulator import RunningSimulator
from aigen.adapters.openrouter.videos import OpenRouterVideos
from aigen.ports.provider import (
    Accepted,
    SubmitOutcome,
    Unknown,
    VideoSubmission,
)
from tests.openrouter.asking import FAILURES
from tests.openrouter.conftest import Connect, Serve
from tests.openrouter.servers import Seen, answering, http


def film(prompt: str = "a fox") -> VideoSubmission:
    return VideoSubmission(model="google/veo-3.1-lite", prompt=prompt, duration=4)


# --- submitting, against the simulator --------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("", Accepted),
        *FAILURES,
        ("sim:noid", Unknown),
        ("sim:garbage", Unknown),
    ],
)
async def test_a_submission_ends_in_one_way_and_is_sent_once(
    clients: OpenRouterClients, simulator: RunningSimulator, keyword: str, expected: type
) -> None:
    outcome = await OpenRouterVideos(clients).submit(film(f"a fox {keyword}"))
    assert type(outcome) is expected
    assert len(simulator.simulator.journal.entries()) == 1


async def test_a_submission_that_is_not_answered_may_be_charged(
    connect: Connect, simulator: RunningSimulator
) -> None:
    outcome = await OpenRouterVideos(connect(simulator.url, seconds=0.6)).submit(film("sim:hang"))
    assert outcome == Unknown(reason="the provider did not answer in time")
    assert simulator.simulator.journal.summary()["jobs_accepted"] == 1


# --- what is sent, and what is taken for an acceptance ----------------------------------------


async def submit(
    connect: Connect, serve: Serve, answer: bytes, submission: VideoSubmission | None = None
) -> tuple[SubmitOutcome, Seen]:
    server = await serve(answering(answer))
    outcome = await OpenRouterVideos(connect(server.url)).submit(submission or film())
    (seen,) = server.requests
    return outcome, seen


async def test_all_that_is_given_is_sent(connect: Connect, serve: Serve) -> None:
    submission = VideoSubmission(
        model="m/v",
        prompt="a fox",
        aspect_ratio="16:9",
        resolution="720p",
        duration=4,
        generate_audio=False,
        seed=0,
        first_frame="data:image/png;base64,AA==",
        last_frame="https://example.com/last.png",
        callback_url="https://app.example/hook",
    )
    _, seen = await submit(connect, serve, http(202, {"id": "x"}), submission)
    assert seen.target == "/api/v1/videos"
    assert seen.json == {
        "model": "m/v",
        "prompt": "a fox",
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "duration": 4,
        "generate_audio": False,
        "seed": 0,
        "frame_images": [
            {
                "type": "image_url",
                "image_url": {"url": "data:image/png;base64,AA=="},
                "frame_type": "first_frame",
            },
            {
                "type": "image_url",
                "image_url": {"url": "https://example.com/last.png"},
                "frame_type": "last_frame",
            },
        ],
        "callback_url": "https://app.example/hook",
    }


async def test_what_is_not_given_is_not_sent(connect: Connect, serve: Serve) -> None:
    submission = VideoSubmission(model="m/v", prompt="a fox")
    _, seen = await submit(connect, serve, http(202, {"id": "x"}), submission)
    assert seen.json == {"model": "m/v", "prompt": "a fox"}


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    ("more", "polling_url"),
    [
        ({"polling_url": "/api/v1/videos/x"}, "/api/v1/videos/x"),
        ({"polling_url": "https://elsewhere.example/x", "new": 1}, "https://elsewhere.example/x"),
        ({}, None),
        ({"polling_url": None}, None),
        ({"polling_url": ["x"]}, None),
        ({"polling_url": "x" * 10_000}, None),
        ({"polling_url": "\ud800"}, None),
        ({"status": "failed", "error": "already"}, None),
    ],
)
async def test_an_id_is_an_acceptance(
    connect: Connect, serve: Serve, status: int, more: dict[str, Any], polling_url: str | None
) -> None:
    outcome, _ = await submit(connect, serve, http(status, {"id": "gen vid/é"} | more))
    assert outcome == Accepted(provider_job_id="gen vid/é", polling_url=polling_url)


@pytest.mark.parametrize(
    "body",
    [
        *({"id": job_id} for job_id in (None, 7, "", "x" * 201, "a\nb", "..", ["x"])),
        *({}, [], "x", None, b"", b"<html>", b'{"id": "x'),
        {"data": {"id": "x"}},
        {"error": {"message": "what?"}},
        {"error": "what?"},
    ],
)
async def test_a_success_without_a_usable_id_may_be_charged(
    connect: Connect, serve: Serve, body: object
) -> None:
    outcome, _ = await submit(connect, serve, http(202, body))
    assert isinstance(outcome, Unknown)
