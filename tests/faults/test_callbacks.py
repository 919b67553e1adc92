"""Webhooks, genuine and forged, at a real process."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.faults.books import books
from tests.faults.hostile import Hostile, hostile, in_progress, withhold
from tests.faults.houses import House, job, until_job

SECRET = "the provider's signing secret"
ELSEWHERE = "https://aigen.example.org"


def event(provider_job_id: str) -> bytes:
    data = {"id": provider_job_id, "status": "completed"}
    return json.dumps({"type": "video.generation.completed", "data": data}).encode()


def signature(body: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    moment = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{moment},".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def call_back(house: House, nonce: str, body: bytes, signed: str) -> int:
    return httpx.post(
        f"{house.api.url}/provider/callback/{nonce}",
        content=body,
        headers={"X-OpenRouter-Signature": signed},
        trust_env=False,
        timeout=30,
    ).status_code


def nonce_of(provider: Hostile, prompt: str) -> str:
    (sent,) = [found for found in provider.submissions if found["prompt"] == prompt]
    address: str = sent["callback_url"]
    assert address.startswith(f"{ELSEWHERE}/provider/callback/")
    return address.rpartition("/")[2]


def test_forged_callbacks_do_nothing_and_a_genuine_one_proves_what_was_unknown(
    new_house: Callable[..., House],
) -> None:
    with hostile() as provider:
        provider.submits["unheard"] = withhold
        provider.polls = in_progress
        house = new_house(
            provider.url,
            AIGEN_SUBMIT_TIMEOUT="1",
            AIGEN_PUBLIC_URL=ELSEWHERE,
            AIGEN_CALLBACK_SECRET=SECRET,
        )
        ann = house.root()
        unknown = ann.wait(ann.video("unheard"))
        assert unknown["error_code"] == "submission_outcome_unknown"
        other = ann.video("known")
        until_job(ann, other, lambda found: found["submitted_at"], "the submission")
        nonce, body = nonce_of(provider, "unheard"), event("job-proven")
        stale = signature(body, at=time.time() - 600)
        forged = {
            "another secret": (nonce, signature(body, secret="guessed"), 401),
            "another body": (nonce, signature(event("job-known")), 401),
            "too old": (nonce, stale, 401),
            "an old one made new": (nonce, stale.replace(stale[2:12], str(int(time.time()))), 401),
            "nothing": (nonce, "", 401),
            "another nonce": (nonce[:-1] + "_", signature(body), 404),
            "another job": (f"{other}.{nonce.partition('.')[2]}", signature(body), 404),
        }
        for name, (where, signed, status) in forged.items():
            assert call_back(house, where, body, signed) == status, name
        # Another job's id, though genuinely signed, is no proof for this one.
        stolen = event("job-known")
        assert call_back(house, nonce, stolen, signature(stolen)) == 204
        assert job(ann, unknown["id"]) == unknown
        provider.polls = None
        answers = at_once(lambda: call_back(house, nonce, body, signature(body)), 20)
        assert set(answers) == {204}
        assert ann.wait(unknown["id"])["status"] == "completed"
        done = until_job(ann, unknown["id"], lambda found: found["video_url"], "the film")
        assert set(at_once(lambda: call_back(house, nonce, body, signature(body)), 5)) == {204}
        again = job(ann, unknown["id"])
        assert (again["status"], again["updated_at"]) == ("completed", done["updated_at"])
        assert ann.wait(other)["status"] == "completed"
        assert provider.sent("unheard") == 1
        assert provider.asked_for("/job-proven/content") == 1
        house.stop()
        books(house.data).must_balance()


def at_once(call: Callable[[], Any], times: int) -> list[Any]:
    with ThreadPoolExecutor(times) as threads:
        return [found.result() for found in [threads.submit(call) for _ in range(times)]]
