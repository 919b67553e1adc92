"""A login storm: many people log in at once and again, with hashes of the default cost; and others
look at `/healthz` and at who they are meanwhile, beside the same looks at rest.

Each check of a password is a fifth of a second of one processor, on purpose. The API gives one
processor less than there are to it, lets some logins wait and sends the rest away with 429.
"""

import asyncio
import os
import time
from collections import Counter
from contextlib import ExitStack
from math import ceil

import bcrypt
import httpx

from benchmarks.load import probed
from benchmarks.pace import paced
from benchmarks.processes import Process, serving
from benchmarks.report import Report
from benchmarks.tables import Bound, Result, Table, show
from benchmarks.text import PASSWORD, aigen_api, log_in

COST = 12
#: Each with an account, since those of one wait for each other; more than may wait.
PEOPLE = paced(64, 36)
SECONDS = paced(20, 3)
#: Until somebody who was sent away tries again.
AGAIN_SECONDS = 1.0
LOOKS = {"/healthz": False, "/users/me": True}

Waits = dict[str, list[float]]


def run() -> Report:
    hash_seconds = seconds_of_a_hash()
    with ExitStack() as stack:
        provider = stack.enter_context(serving("benchmarks.provider"))
        api = stack.enter_context(aigen_api(provider.url, AIGEN_BCRYPT_COST=str(COST)))
        token = log_in(api)
        emails = people(api, token)
        rest = asyncio.run(looks(api, token))
        storm, answers = asyncio.run(stormed(api, token, emails))
    return Report([report(rest, storm), report_logins(answers, hash_seconds)])


def seconds_of_a_hash() -> float:
    """On a processor that does nothing else, at best of three."""
    salt = bcrypt.gensalt(COST)

    def seconds() -> float:
        began = time.perf_counter()
        bcrypt.hashpw(PASSWORD.encode(), salt)
        return time.perf_counter() - began

    return min(seconds() for _ in range(3))


def people(api: Process, token: str) -> list[str]:
    headers = {"Authorization": f"Bearer {token}"}
    emails = [f"person-{number}@example.org" for number in range(PEOPLE)]
    with httpx.Client(base_url=api.url, headers=headers, trust_env=False) as client:
        for email in emails:
            client.post("/users", json={"email": email, "password": PASSWORD}).raise_for_status()
    return emails


async def looks(api: Process, token: str) -> Waits:
    """Seconds until the answers, sorted."""
    found = await asyncio.gather(
        *(
            probed(api.url + path, seconds=SECONDS, token=token if needs_token else None)
            for path, needs_token in LOOKS.items()
        )
    )
    return dict(zip(LOOKS, found, strict=True))


async def stormed(api: Process, token: str, emails: list[str]) -> tuple[Waits, Counter[int]]:
    """How long looks take during a storm, and what the logins are answered with."""
    answers: Counter[int] = Counter()
    limits = httpx.Limits(max_connections=PEOPLE)
    async with httpx.AsyncClient(
        base_url=api.url, limits=limits, timeout=60, trust_env=False
    ) as client:

        async def person(email: str) -> None:
            said = {"email": email, "password": PASSWORD}
            while True:
                status = (await client.post("/auth/login", json=said)).status_code
                answers[status] += 1
                if status == httpx.codes.TOO_MANY_REQUESTS:
                    await asyncio.sleep(AGAIN_SECONDS)

        storm = [asyncio.create_task(person(email)) for email in emails]
        found = await looks(api, token)
        for each in storm:
            each.cancel()
        ended = await asyncio.gather(*storm, return_exceptions=True)
    if failed := [end for end in ended if not isinstance(end, asyncio.CancelledError)]:
        raise RuntimeError(f"logins failed: {failed}")
    if answers.keys() - {200, 429}:
        raise RuntimeError(f"answers were {answers}")
    return found, answers


def report(rest: Waits, storm: Waits) -> Table:
    return show(
        "Looks during a login storm",
        [
            Result(
                name=path,
                figures={
                    "ms p99": f"{_ms(storm[path], 0.99):.1f}",
                    "ms p50": f"{_ms(storm[path], 0.5):.1f}",
                    "longest": f"{storm[path][-1] * 1000:.1f}",
                    "p99 at rest": f"{_ms(rest[path], 0.99):.1f}",
                    "× p99 at rest": f"{_ms(storm[path], 0.99) / _ms(rest[path], 0.99):.1f}",
                },
                bounds=(Bound("≤ 50 ms", _ms(storm[path], 0.99)),),
            )
            for path in LOOKS
        ],
        f"{PEOPLE} people at once for {SECONDS} s",
    )


def report_logins(answers: Counter[int], hash_seconds: float) -> Table:
    rate = answers[200] / SECONDS
    processors = max(1, (os.cpu_count() or 2) - 1)
    ratio = rate * hash_seconds / processors
    return show(
        "Logins in the storm",
        [
            Result(
                name=f"hashes of cost {COST}",
                figures={
                    "a second": f"{rate:.1f}",
                    f"× bare bcrypt, {processors} at a time": f"{ratio:.2f}",
                    "sent away": str(answers[429]),
                    "one hash": f"{ceil(hash_seconds * 1000)} ms",
                },
                bounds=(Bound("≥ 0.8 ×", ratio),),
            )
        ],
    )


def _ms(waits: list[float], share: float) -> float:
    return waits[int(len(waits) * share)] * 1000
