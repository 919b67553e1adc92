"""`kill -9` again and again at random moments: what was accepted is kept, and bought once."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx
import pytest
from attrs import define, field, frozen

from tests.e2e.processes import VIDEO_MODEL, Person, Process, until
from tests.faults.books import books, possible_purchases
from tests.faults.houses import House, ends, jobs_of, over

UNKNOWN = "submission_outcome_unknown"

#: What the provider does with a job, how often it is chosen, and how the job may end. A kill in
#: the middle of a submission makes any of them unknown.
FATES: dict[str, tuple[int, set[str | None]]] = {
    "": (6, {None}),
    "sim:sleep=1": (3, {None}),
    "sim:delay=0.3": (3, {None}),
    "sim:poll-error=1": (1, {None}),
    "sim:content-error=1": (1, {None}),
    "sim:content-cut=1": (2, {None}),
    "sim:nocost": (1, {None}),
    "sim:times=1 sim:ratelimit=1": (2, {None}),
    "sim:fail=Sorry": (2, {"provider_failed"}),
    "sim:refuse": (1, {"provider_refused"}),
    "sim:badmedia": (1, {"media_rejected"}),
    "sim:reset": (1, {UNKNOWN}),
    "sim:garbage": (1, {UNKNOWN}),
    "sim:http=500 sim:charged": (1, {UNKNOWN}),
}


@frozen(kw_only=True)
class Size:
    jobs: int
    kills: int


SHORT = Size(jobs=60, kills=6)
LONG = Size(jobs=300, kills=30)


@define
class Crowd:
    """People who ask until they are answered, as whoever is not sure does, with a key."""

    people: list[Person]
    seed: int
    fates: dict[str, str] = field(factory=dict)  # of each job that was accepted
    prompts: dict[str, str] = field(factory=dict)
    _asked: Any = field(factory=count)

    def ask(self, number: int) -> None:
        luck = random.Random(f"{self.seed} {number}")
        fate = luck.choices(list(FATES), [weight for weight, _ in FATES.values()])[0]
        prompt = f"crowd {self.seed} {number} {fate}".strip()
        body = {"model": VIDEO_MODEL, "prompt": prompt, "duration": 4}
        person = self.people[number % len(self.people)]

        def answered() -> Any:
            try:
                answer = person.client.post(
                    "/generate/video", json=body, headers={"Idempotency-Key": str(number)}
                )
            except httpx.TransportError:
                return None
            assert answer.status_code in {202, 503}, answer.text
            return answer.json() if answer.status_code == 202 else None

        job_id = until(answered, f"an answer to {prompt!r}")["id"]
        self.prompts[job_id] = prompt
        self.fates[job_id] = fate

    def jobs(self) -> dict[str, Any]:
        return {name: job for person in self.people for name, job in jobs_of(person).items()}


@define
class Memory:
    """What was over once must stay as it was."""

    ends: dict[str, Any] = field(factory=dict)

    def hold_against(self, jobs: dict[str, Any]) -> None:
        for job_id, job in jobs.items():
            before = self.ends.get(job_id)
            if before is not None and before["error_code"] != UNKNOWN:
                assert _lasting(job) == _lasting(before)
            if over(job):
                self.ends[job_id] = job


def _lasting(job: dict[str, Any]) -> dict[str, Any]:
    """What no late answer may change: it only says what a job has cost."""
    return {name: job[name] for name in ("status", "error_code", "error", "finished_at")}


def test_whoever_is_killed_nothing_is_lost_or_bought_twice(
    new_house: Callable[..., House], provider: Process, seed: int, request: pytest.FixtureRequest
) -> None:
    size = LONG if request.config.getoption("--long") else SHORT
    print(f"seed {seed}: {size.jobs} jobs, {size.kills} kills")
    luck = random.Random(seed)
    house = new_house(provider.url, AIGEN_SUBMIT_TIMEOUT="5")
    root = house.root()
    house.add_worker()
    people = [root, *(house.new_user(root, f"user{n}@example.org") for n in range(2))]
    crowd, memory = Crowd(people, seed), Memory()
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(crowd.ask, number) for number in range(size.jobs)]
        for number in range(size.kills):
            wait_for_a_random_moment(luck, provider, share=size.jobs * 6 // size.kills)
            accepted = set(crowd.fates)
            victim = luck.choice(house.processes)
            victim.kill()
            house.revive(victim)
            jobs = crowd.jobs()
            assert accepted <= set(jobs), f"lost at kill {number}"
            memory.hold_against(jobs)
            cancel_one(luck, crowd, jobs)
        for job in asked:
            job.result()
    for person in people:
        ends(person, jobs_of(person))
    memory.hold_against(crowd.jobs())
    house.stop()
    check(house, crowd, provider)


def wait_for_a_random_moment(luck: random.Random, provider: Process, share: int) -> None:
    """When the provider has heard some requests more, or the crowd has been served."""
    with httpx.Client(base_url=provider.url, trust_env=False, timeout=30) as client:

        def heard() -> int:
            requests: int = client.get("/simulator/summary").json()["requests"]
            return requests

        last = heard()
        target = last + luck.randint(1, share)
        patience = iter(range(20))
        until(lambda: heard() >= target or next(patience, None) is None, "a random moment")


def cancel_one(luck: random.Random, crowd: Crowd, jobs: dict[str, Any]) -> None:
    """A person changes their mind; it may be too late."""
    unfinished = [job_id for job_id, job in jobs.items() if not over(job)]
    if not unfinished:
        return
    job_id = luck.choice(unfinished)
    owner = next(person for person in crowd.people if job_id in jobs_of(person))
    owner.client.post(f"/generate/video/{job_id}/cancel")


def check(house: House, crowd: Crowd, provider: Process) -> None:
    found = books(house.data)
    assert set(crowd.fates) == set(found.jobs), "who was answered 202 has a job, and nobody else"
    found.must_balance()
    found.must_have_their_films(house.media)
    bought = possible_purchases(provider.url, crowd.prompts.values())
    assert max(bought.values()) == 1, bought.most_common(3)
    for job_id, job in found.jobs.items():
        allowed = {"cancelled", UNKNOWN, *FATES[crowd.fates[job_id]][1]}
        code = "cancelled" if job.status == "cancelled" else job.error_code
        assert code in allowed, (crowd.fates[job_id], job)
    counts = Counter(job.error_code or job.status.value for job in found.jobs.values())
    print(f"ends: {dict(counts)}")
    assert counts["completed"] > len(found.jobs) // 4
