"""What an operator does while all goes wrong: heal the key, adopt what is unknown, back up."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.processes import AIGEN, Process, simulator, submissions, until
from tests.faults.books import books
from tests.faults.houses import House, ends, house, job, jobs_of, until_job

TRIES = 5

#: No backup has it: it is kept elsewhere, as every secret.
PEPPER = "zyxwvutsrqponmlkjihgfedcba9876543210"

#: 401 and 402, and how each is healed.
TROUBLES: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"api_key": "another"}, {"api_key": None}),
    ({"credits_usd": 0}, {"credits_usd": None}),
)


def test_a_refused_key_stops_buying_until_it_is_taken_again(
    new_house: Callable[..., House], tmp_path: Path
) -> None:
    with simulator(tmp_path) as provider:
        house = new_house(provider.url, "--no-worker", AIGEN_POLL_INTERVAL="0.5")
        ann = house.root()
        house.add_worker()
        for trouble, cure in TROUBLES:
            switch(provider, trouble)
            waiting = [ann.video(f"waiting for {trouble} {number}") for number in range(TRIES)]
            until(lambda: house.ready()["status"] == "unready", "readiness to go")
            assert "refuses our key or credit" in str(house.ready()["reasons"])
            before = len(submissions(provider.url))
            until(lambda n=before: len(submissions(provider.url)) >= n + 2, "two more tries")
            assert {job(ann, job_id)["status"] for job_id in waiting} <= {"queued", "processing"}
            switch(provider, cure)
            assert {found["status"] for found in ends(ann, waiting)} == {"completed"}
            until(lambda: house.ready()["status"] == "ready", "readiness to return")
        bought = [entry["prompt"] for entry in submissions(provider.url) if entry["accepted"]]
        assert sorted(bought) == sorted(found["prompt"] for found in jobs_of(ann).values())
        house.stop()


def switch(provider: Process, options: dict[str, Any]) -> None:
    answer = httpx.put(f"{provider.url}/simulator/options", json=options, trust_env=False)
    assert answer.status_code == 200, answer.text


def test_an_admin_adopts_what_the_provider_took_and_closes_what_it_did_not(
    new_house: Callable[..., House], provider: Process
) -> None:
    house = new_house(provider.url, AIGEN_SUBMIT_TIMEOUT="1")
    root = house.root()
    ann = house.new_user(root, "ann@example.org")
    taken = ann.video("taken and never answered sim:hang")
    lost = ann.video("never taken sim:http=500")
    for found in ends(ann, [taken, lost]):
        assert found["error_code"] == "submission_outcome_unknown"
    reserved = ann.get("/users/me/usage")["day"]["reserved_usd"]
    assert reserved > 0
    assert len(root.get("/admin/videos?status=outcome_unknown")["items"]) == 2
    (entry,) = [e for e in submissions(provider.url) if e["prompt"].startswith("taken and never")]
    root.post(f"/admin/videos/{taken}/resolve", {"provider_job_id": entry["job_id"]})
    closed = root.post(f"/admin/videos/{lost}/resolve", {"charged": False})
    assert (closed["error_code"], closed["cost_usd"]) == ("submission_settled", 0)
    film = until_job(ann, taken, lambda found: found["video_url"], "the film")
    assert (film["status"], film["error_code"]) == ("completed", None)
    usage = ann.get("/users/me/usage")["day"]
    assert (usage["reserved_usd"], usage["spent_usd"]) == (0, film["cost_usd"])
    root.post(f"/admin/videos/{taken}/resolve", {"charged": True}, status=409)
    house.stop()
    books(house.data).must_balance()


def test_a_backup_made_under_load_is_whole_and_starts(
    new_house: Callable[..., House], provider: Process, tmp_path: Path
) -> None:
    first = new_house(provider.url, AIGEN_PEPPER=PEPPER)
    ann = first.root()
    before = [ann.video(f"before the backup {number}") for number in range(10)]
    ends(ann, before)
    target = tmp_path / "backup"
    with ThreadPoolExecutor(1) as threads:
        load = threads.submit(submit_until, ann, target / "manifest.json")
        aigen(first, "db", "backup", str(target), "--media")
        during = load.result()
    assert during, "there was load"
    second = tmp_path / "restored"
    with house(second, provider.url, AIGEN_PEPPER=PEPPER) as other:
        other.stop()
        said = aigen(other, "db", "restore", str(target), "--yes")
        assert "queued jobs are held" in said
        aigen(other, "db", "check")
        found = books(other.data)
        assert set(before) <= set(found.jobs) <= {*before, *during}
        found.must_balance()
        for job_id in before:
            media = found.jobs[job_id].media
            assert media is not None
            assert (other.media / media.key).is_file()
        sent = len(submissions(provider.url))
        ends(ann, during)
        other.revive(other.api)
        again = other.root()
        unfinished = {"queued", "processing"}
        until(
            lambda: all(
                found["status"] not in unfinished or found["error_code"] == "held_after_restore"
                for found in jobs_of(again).values()
            ),
            "the end of what was in flight",
        )
        assert len(submissions(provider.url)) <= sent + len(during), "bought by the first alone"
        other.stop()


def submit_until(person: Any, done: Path) -> list[str]:
    """Keep the house busy until a file is there; what was accepted."""
    ids: list[str] = []
    while not done.exists():
        ids.append(person.video(f"while it is backed up {len(ids)}"))
    return ids


def aigen(house: House, *words: str) -> str:
    done = subprocess.run(
        [AIGEN, *words], env=house.api.env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
