"""What each keyword does, by its name."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from aigen.adapters.openrouter.simulator.keywords import EVERYWHERE
from tests.simulator.desk import Desk

STREAM = {"stream": True}
DRAWING = {"model": "google/gemini-2.5-flash-image"}

Check = Callable[[Desk], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def of(name: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        assert name not in CHECKS
        CHECKS[name] = check
        return check

    return register


def events(response: httpx.Response) -> list[dict[str, Any]]:
    lines = [line for line in response.text.splitlines() if line.startswith("data: {")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


async def refused(desk: Desk, prompt: str, status: int, error_type: str) -> dict[str, Any]:
    """All three routes answer alike; the error body is OpenRouter's."""
    errors = []
    for route in EVERYWHERE:
        response = await desk.anywhere(route, prompt)
        assert response.status_code == status
        errors.append(response.json()["error"])
        assert errors[-1]["code"] == status
        assert errors[-1]["metadata"]["error_type"] == error_type
    assert errors[0]["message"]
    return dict(errors[0])


@of("refuse")
async def _(desk: Desk) -> None:
    await refused(desk, "fox sim:refuse", 400, "content_policy_violation")


@of("moderation")
async def _(desk: Desk) -> None:
    error = await refused(desk, "x" * 200 + " sim:moderation", 403, "permission_denied")
    assert error["metadata"]["reasons"]
    assert len(error["metadata"]["flagged_input"]) <= 100
    assert "..." in error["metadata"]["flagged_input"]
    assert error["metadata"]["model_slug"] == "openai/gpt-4o-mini"
    assert error["metadata"]["provider_name"]


@of("credits")
async def _(desk: Desk) -> None:
    await refused(desk, "fox sim:credits", 402, "payment_required")


@of("badkey")
async def _(desk: Desk) -> None:
    await refused(desk, "fox sim:badkey", 401, "authentication")


@of("notfound")
async def _(desk: Desk) -> None:
    await refused(desk, "fox sim:notfound", 404, "not_found")


@of("toolarge")
async def _(desk: Desk) -> None:
    await refused(desk, "fox sim:toolarge", 413, "payload_too_large")


@of("semantic")
async def _(desk: Desk) -> None:
    await refused(desk, "fox sim:semantic", 422, "unprocessable")


@of("ratelimit")
async def _(desk: Desk) -> None:
    error = await refused(desk, "fox sim:ratelimit", 429, "rate_limit_exceeded")
    assert "X-RateLimit-Reset" in error["metadata"]["headers"]
    without = await desk.video("fox sim:ratelimit")
    assert "Retry-After" not in without.headers
    assert without.headers["X-RateLimit-Remaining"] == "0"
    assert (await desk.video("fox sim:ratelimit=7")).headers["Retry-After"] == "7"


@of("overloaded")
async def _(desk: Desk) -> None:
    await refused(desk, "fox sim:overloaded", 503, "provider_overloaded")
    assert "Retry-After" not in (await desk.image("fox sim:overloaded")).headers
    assert (await desk.image("fox sim:overloaded=0.5")).headers["Retry-After"] == "0.5"


@of("http")
async def _(desk: Desk) -> None:
    await refused(desk, "fox sim:http=524", 524, "timeout")
    await refused(desk, "fox sim:http=418", 418, "unmapped")
    assert (await desk.chat("fox sim:http=204")).status_code == 400


@of("html502")
async def _(desk: Desk) -> None:
    response = await desk.video("fox sim:html502")
    assert response.status_code == 502
    assert response.headers["Content-Type"].startswith("text/html")
    assert response.text.startswith("<!DOCTYPE html>")


@of("raw502")
async def _(desk: Desk) -> None:
    error = await refused(desk, "fox sim:raw502", 502, "provider_unavailable")
    assert error["message"] == "Provider returned error"
    assert "out of memory" in error["metadata"]["raw"]


@of("redirect")
async def _(desk: Desk) -> None:
    response = await desk.video("fox sim:redirect")
    assert response.status_code == 307
    assert await desk.accepted() == {"chat": 0, "images": 0, "videos": 0}
    followed = await desk.client.post(
        desk.running.origin + response.headers["Location"],
        content=response.request.content,
    )
    assert followed.status_code == 202
    elsewhere = await desk.video("fox sim:redirect=https://example.org/")
    assert elsewhere.headers["Location"] == "https://example.org/"


@of("reset-early")
async def _(desk: Desk) -> None:
    with pytest.raises(httpx.ReadError):
        await desk.video("fox sim:reset-early")


@of("200-error")
async def _(desk: Desk) -> None:
    for route in EVERYWHERE:
        response = await desk.anywhere(route, "fox sim:200-error")
        assert response.status_code == 200
        assert set(response.json()) == {"error", "user_id"}


@of("empty")
async def _(desk: Desk) -> None:
    said = (await desk.chat("fox sim:empty")).json()
    assert (said["choices"], said["usage"]["cost"]) == ([], 0)
    drawn = (await desk.image("fox sim:empty")).json()
    assert (drawn["data"], drawn["usage"]["cost"]) == ([], 0)
    streamed = events(await desk.chat("fox sim:empty", **STREAM))
    assert [chunk["choices"] for chunk in streamed] == [[]]


@of("hang")
async def _(desk: Desk) -> None:
    for route in EVERYWHERE:
        assert await desk.hangs(route, "fox sim:hang")


@of("reset")
async def _(desk: Desk) -> None:
    for route in EVERYWHERE:
        with pytest.raises(httpx.ReadError):
            await desk.anywhere(route, "fox sim:reset")


@of("delay")
async def _(desk: Desk) -> None:
    assert (await desk.video("fox sim:delay=2.5.")).status_code == 202
    assert (await desk.image("fox sim:delay=3, sim:refuse!")).status_code == 400
    assert desk.sleeps == [2.5, 3.0]


@of("garbage")
async def _(desk: Desk) -> None:
    response = await desk.video("fox sim:garbage")
    assert response.status_code == 202
    with pytest.raises(json.JSONDecodeError):
        response.json()
    assert (await desk.chat("fox sim:garbage")).status_code == 200


@of("nocost")
async def _(desk: Desk) -> None:
    said = await desk.chat("fox sim:nocost")
    assert "cost" not in said.json()["usage"]
    drawn = await desk.image("fox sim:nocost")
    assert "cost" not in drawn.json()["usage"]
    done = await desk.polled("fox sim:nocost")
    assert "usage" not in done
    assert said.headers["X-Generation-Id"] == said.json()["id"]
    for known_as in (said.json()["id"], drawn.headers["X-Generation-Id"], done["generation_id"]):
        asked = [await desk.client.get("/generation", params={"id": known_as}) for _ in range(2)]
        assert [answer.status_code for answer in asked] == [404, 200]
        assert asked[1].json()["data"]["total_cost"] > 0


@of("noimage")
async def _(desk: Desk) -> None:
    choice = (await desk.chat("fox sim:noimage", **DRAWING)).json()["choices"][0]
    assert choice["native_finish_reason"] == "NO_IMAGE"
    assert choice["message"]["content"]
    assert "images" not in choice["message"]
    assert (await desk.image("fox sim:noimage")).json()["data"] == []


@of("truncated")
async def _(desk: Desk) -> None:
    said = (await desk.chat("fox sim:truncated", **DRAWING)).json()
    url = said["choices"][0]["message"]["images"][0]["image_url"]["url"]
    drawn = (await desk.image("fox sim:truncated")).json()["data"][0]["b64_json"]
    for encoded in (url.partition(",")[2], drawn):
        with pytest.raises(binascii.Error):
            base64.b64decode(encoded)


@of("preview")
async def _(desk: Desk) -> None:
    chunks = events(await desk.chat("fox sim:preview", **DRAWING, **STREAM))
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    rough, final = [delta["images"][0]["image_url"]["url"] for delta in deltas if "images" in delta]
    assert len(rough) < len(final)
    kinds = [event["type"] for event in events(await desk.image("fox sim:preview", **STREAM))]
    assert kinds == ["image_generation.partial_image", "image_generation.completed"]


@of("midstream")
async def _(desk: Desk) -> None:
    streamed = await desk.chat("fox sim:midstream", **STREAM)
    *words, last = events(streamed)
    assert len(words) > 5
    assert last["error"]["code"] == 502
    assert last["choices"][0]["finish_reason"] == "error"
    assert "[DONE]" not in streamed.text
    whole = (await desk.chat("fox sim:midstream")).json()["choices"][0]
    assert whole["finish_reason"] == "error"
    assert whole["error"]["message"]
    drawn = await desk.image("fox sim:midstream", **STREAM)
    assert [event["type"] for event in events(drawn)] == ["error"]
    assert drawn.text.endswith("data: [DONE]\n\n")


@of("stream-cut")
async def _(desk: Desk) -> None:
    for ask in (desk.chat, desk.image):
        with pytest.raises(httpx.RemoteProtocolError):
            await ask("fox sim:stream-cut", **STREAM)


@of("slowstream")
async def _(desk: Desk) -> None:
    response = await desk.chat("fox sim:slowstream=2", **STREAM)
    comments, _, _ = response.text.partition("data:")
    assert comments.count(": OPENROUTER PROCESSING\n\n") == 5
    assert sum(desk.sleeps) == 2
    desk.sleeps.clear()
    await desk.image("fox sim:slowstream", **STREAM)
    assert sum(desk.sleeps) == 3


@of("drip")
async def _(desk: Desk) -> None:
    chunks = events(await desk.chat("fox sim:drip=0.25", **STREAM))
    assert desk.sleeps == [0.25] * len(chunks)


@of("noid")
async def _(desk: Desk) -> None:
    response = await desk.video("fox sim:noid")
    assert (response.status_code, response.json()) == (202, {"status": "pending"})


@of("sleep")
async def _(desk: Desk) -> None:
    assert (await desk.polled("fox sim:sleep=600", times=5))["status"] == "in_progress"
    assert (await desk.polled("fox sim:sleep=0", times=1))["status"] == "completed"


@of("forever")
async def _(desk: Desk) -> None:
    assert (await desk.polled("fox sim:forever", times=20))["status"] == "in_progress"


@of("fail")
async def _(desk: Desk) -> None:
    done = await desk.polled("fox sim:fail")
    assert (done["status"], done["error"]) == ("failed", "Content policy violation")
    assert "usage" not in done
    named = await desk.polled("fox sim:fail=Too_many_foxes.")
    assert named["error"] == "Too many foxes"


@of("cancelled")
async def _(desk: Desk) -> None:
    assert (await desk.polled("fox sim:cancelled"))["status"] == "cancelled"


@of("expired")
async def _(desk: Desk) -> None:
    done = await desk.polled("fox sim:expired")
    assert (done["status"], done["error"]) == ("expired", "Job exceeded maximum time to live")


@of("unknown-status")
async def _(desk: Desk) -> None:
    assert (await desk.polled("fox sim:unknown-status", times=1))["status"] == "rendering"
    assert (await desk.polled("fox sim:unknown-status", times=2))["status"] == "completed"


@of("poll-error")
async def _(desk: Desk) -> None:
    job_id = await desk.job("fox sim:poll-error=2 sim:poll-404=1")
    answers = [(await desk.poll(job_id)).status_code for _ in range(5)]
    assert answers == [500, 500, 404, 200, 200]
    assert (await desk.poll(job_id)).json()["status"] == "completed"


@of("poll-404")
async def _(desk: Desk) -> None:
    job_id = await desk.job("fox sim:poll-404=1")
    assert [(await desk.poll(job_id)).status_code for _ in range(2)] == [404, 200]


@of("nourl")
async def _(desk: Desk) -> None:
    done = await desk.polled("fox sim:nourl")
    assert done["status"] == "completed"
    assert not {"unsigned_urls", "urls", "expires_at"} & set(done)


@of("nocontent")
async def _(desk: Desk) -> None:
    done = await desk.polled("fox sim:nocontent")
    assert (await desk.content(done["id"])).status_code == 404
    assert (await desk.client.get(done["urls"][0])).status_code == 404


@of("gone")
async def _(desk: Desk) -> None:
    assert (await desk.fetched("fox sim:gone")).status_code == 410


@of("content-error")
async def _(desk: Desk) -> None:
    done = await desk.polled("fox sim:content-error=2")
    assert [(await desk.content(done["id"])).status_code for _ in range(3)] == [500, 500, 200]


@of("content-cut")
async def _(desk: Desk) -> None:
    done = await desk.polled("fox sim:content-error=1 sim:content-cut=1")
    assert (await desk.content(done["id"])).status_code == 500
    with pytest.raises(httpx.RemoteProtocolError):
        await desk.content(done["id"])
    assert (await desk.content(done["id"])).content[4:8] == b"ftyp"


@of("badmedia")
async def _(desk: Desk) -> None:
    done = await desk.polled("fox sim:badmedia")
    for response in (await desk.content(done["id"]), await desk.client.get(done["urls"][0])):
        assert response.headers["Content-Type"] == "video/mp4"
        assert b"<html>" in response.content


@of("charged")
async def _(desk: Desk) -> None:
    assert (await desk.video("fox sim:charged sim:html502")).status_code == 502
    assert (await desk.chat("fox sim:charged sim:empty")).json()["choices"] == []
    with pytest.raises(httpx.ReadError):
        await desk.image("fox sim:charged sim:reset-early")
    assert await desk.accepted() == {"chat": 1, "images": 1, "videos": 1}


@of("times")
async def _(desk: Desk) -> None:
    prompt = "fox sim:overloaded sim:times=2 sim:fail"
    answers = [await desk.video(prompt) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 202]
    job_id = answers[-1].json()["id"]
    assert [(await desk.poll(job_id)).json()["status"] for _ in range(2)][-1] == "failed"
