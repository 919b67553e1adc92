"""Several APIs and workers on one PostgreSQL, which lose nothing and buy nothing twice."""

import json
import random
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.e2e.audits import Audit
from tests.e2e.crowds import Appetite, Crowd, at_api, settle_what_is_unknown
from tests.e2e.processes import VIDEO_MODEL, Process, journal, simulator, submissions, until
from tests.e2e.towns import PASSWORD, Town, statuses, town
from tests.faults.books import books_on_server, digests_in, possible_purchases
from tests.faults.houses import ends, job, until_job
from tests.faults.test_kill_loop import Memory
from tests.postgres.server import Server, name_of


@pytest.fixture
def the_town(provider: Process, database_url: str, tmp_path: Path) -> Iterator[Town]:
    """Two APIs and two workers, each with a data dir of its own; they share database and files."""
    with town(tmp_path, provider.url, database_url) as built:
        yield built


def films_in(built: Town) -> dict[str, str]:
    return digests_in(built.folder / "media")


# --- one queue ------------------------------------------------------------------------------


def test_all_work_on_one_queue_and_know_of_each_other(the_town: Town, provider: Process) -> None:
    here, there = the_town.root(0), the_town.root(1)
    ids = [(here, there)[number % 2].video(f"shared {number}") for number in range(30)]
    assert [there.wait(job_id)["status"] for job_id in ids] == ["completed"] * len(ids)
    assert bought(provider, "shared") == Counter(f"shared {number}" for number in range(30))
    # A change is seen at once at an API that had no part in it.
    watched = here.video("watched from elsewhere")
    assert list(statuses(there, watched))[-1] == "completed"
    # A key makes one job, wherever it is shown.
    body = {"model": VIDEO_MODEL, "prompt": "with a key", "duration": 4}
    keyed = [
        p.post("/generate/video", body, 202, headers={"Idempotency-Key": "k"})
        for p in (here, there)
    ]
    assert keyed[0]["id"] == keyed[1]["id"]
    # Users can be administered beside the running processes, and it counts at once.
    added = json.loads(
        the_town.aigen("users", "add", "ann@example.org", "--generate-password", "--json")
    )
    ann = the_town.log_in(added["email"], added["password"], number=1)
    assert ann.get("/users/me")["role"] == "user"
    the_town.aigen("users", "set-role", added["email"], "admin")
    assert ann.get("/users/me")["role"] == "admin"
    the_town.aigen("users", "remove", added["email"], "--yes")
    ann.get("/users/me", status=401)
    assert the_town.aigen("db", "migrate") == "nothing to do\n"
    assert "generated_videos: 32 rows" in the_town.aigen("db", "check")
    the_town.stop()


def bought(provider: Process, word: str) -> Counter[str]:
    """How often each prompt with this word was handed over and taken."""
    return Counter(
        str(entry["prompt"])
        for entry in submissions(provider.url)
        if word in str(entry["prompt"]) and entry["accepted"]
    )


# --- workers that die, or only stand still --------------------------------------------------


def test_a_killed_workers_jobs_are_taken_over(the_town: Town, provider: Process) -> None:
    here, there = the_town.root(0), the_town.root(1)
    ids = [here.video(f"orphan {number} sim:sleep=2") for number in range(12)]
    until(lambda: all(job(there, i)["submitted_at"] for i in ids), "the submissions")
    the_town.workers[0].kill()
    assert Counter(found["status"] for found in ends(there, ids)) == {"completed": len(ids)}
    assert set(bought(provider, "orphan").values()) == {1}
    assert the_town.workers_at_work() == 1


def test_a_worker_that_stood_still_on_postgres_writes_nothing_of_what_it_lost(
    the_town: Town, provider: Process
) -> None:
    """Two workers come to have the same jobs in hand; one of them has no say any more."""
    ann, (sleeper, other) = the_town.root(), the_town.workers
    other.signal(signal.SIGSTOP)  # so that all is the sleeper's
    until(lambda: the_town.workers_at_work() == 1, "the end of the other's lease")
    polled = [ann.video(f"slept over {number} sim:sleep=3") for number in range(5)]
    for job_id in polled:
        until_job(ann, job_id, lambda found: found["submitted_at"], "the submission")
    in_flight = ann.video("slept over, sent sim:delay=1.5")
    until(lambda: bought(provider, "slept over, sent"), "the submission in flight")
    sleeper.signal(signal.SIGSTOP)
    other.signal(signal.SIGCONT)
    taken = dict(zip((*polled, in_flight), ends(ann, (*polled, in_flight)), strict=True))
    assert {taken[job_id]["status"] for job_id in polled} == {"completed"}
    assert taken[in_flight]["error_code"] == "submission_outcome_unknown"
    sleeper.signal(signal.SIGCONT)
    # The answer that it had not yet heard is proof, however late.
    until_job(ann, in_flight, lambda found: found["status"] == "completed", "the proof")
    until(lambda: the_town.workers_at_work() == 2, "the sleeper's new lease")
    assert {i: job(ann, i)["updated_at"] for i in polled} == {
        i: taken[i]["updated_at"] for i in polled
    }
    the_town.stop()
    prompts = [found["prompt"] for found in taken.values()]
    assert set(possible_purchases(provider.url, prompts).values()) == {1}
    found = books_on_server(the_town.database_url)
    found.must_balance()
    found.must_have_these_films(films_in(the_town))


# --- a database that comes and goes ---------------------------------------------------------


@pytest.fixture
def new_provider(tmp_path: Path) -> Iterator[Process]:
    """One for a test that looks at every cent."""
    with simulator(tmp_path) as running:
        yield running


SHAKES = 6


def test_a_database_that_falls_down_under_load_costs_nothing(
    new_provider: Process, postgres: Server, database_url: str, tmp_path: Path
) -> None:
    luck, crowd, memory = random.Random(4711), Crowd(), Memory()
    appetite = Appetite(videos=20, texts=6, images=4)
    with town(tmp_path, new_provider.url, database_url, distant=1) as shaken:
        root = shaken.root()
        for number in range(4):
            email = f"user-{number}@example.org"
            root.post("/users", {"email": email, "password": PASSWORD}, 201)
            person = shaken.log_in(email)
            crowd.join(person, at_api(person), appetite.wishes(email))
        with ThreadPoolExecutor(len(crowd.people)) as threads:
            errands = crowd.go(threads)
            for number in range(SHAKES):
                share = (number + luck.random()) / SHAKES
                until(lambda share=share: crowd.share_served() >= share, "a random moment")
                shake = luck.choice((postgres.crash, postgres.cut_all))
                print(f"{crowd.share_served():.0%} served: {shake.__name__}")
                shake(database_url)
            for errand in errands:
                errand.result()
        assert all(process.child.poll() is None for process in shaken.processes), shaken.output()
        crowd.wait()
        memory.hold_against(crowd.jobs())
        settle_what_is_unknown(root, crowd, new_provider)
        crowd.wait()
        print(Counter(found["error_code"] or found["status"] for found in crowd.jobs().values()))
        print(f"{len(crowd.given)} were answered, {len(crowd.in_doubt)} are in doubt")
        shaken.stop()
        Audit(
            books=books_on_server(database_url),
            crowd=crowd,
            journal=journal(new_provider.url),
            files=films_in(shaken),
        ).must_be_passed()


def test_while_the_database_is_away_every_api_says_so_and_comes_back(
    the_town: Town, postgres: Server, database_url: str
) -> None:
    here = the_town.root(0)
    waiting = here.video("waits for the database sim:sleep=1")
    headers = {"Authorization": here.client.headers["Authorization"]}

    def says(process: Process) -> list[Any]:
        ready, alive, me = (
            httpx.get(process.url + path, headers=headers, trust_env=False, timeout=30)
            for path in ("/readyz", "/healthz", "/users/me")
        )
        return [ready.status_code, alive.status_code, me.status_code, me.json()["code"]]

    with postgres.away(database_url), ThreadPoolExecutor(2) as threads:
        for said in threads.map(says, the_town.apis):
            assert said == [503, 200, 503, "database_unavailable"]

    def is_over() -> bool:
        answer = here.client.get(f"/generate/video/{waiting}")
        return answer.is_success and answer.json()["status"] == "completed"

    until(is_over, "the job that waited", the_town.output)
    the_town.stop()


# --- notifications and clocks ---------------------------------------------------------------


def test_a_lost_notification_costs_at_most_a_sweep(
    the_town: Town, postgres: Server, database_url: str
) -> None:
    ann, sweep = the_town.root(), timedelta(seconds=1)
    waits = []
    for number in range(6):
        cut_listeners(database_url, len(the_town.processes))
        found = ann.wait(ann.video(f"unheard of {number}"))
        times = [datetime.fromisoformat(found[name]) for name in ("created_at", "submitted_at")]
        waits.append(times[1] - times[0])
    assert max(waits) < sweep + timedelta(seconds=1), waits
    # Nobody heard of all of them, or it would have taken some milliseconds.
    assert max(waits) > sweep / 10, waits


_LISTENERS = """
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND query LIKE 'SELECT count(*) FROM workers%'
"""


def cut_listeners(database_url: str, count: int) -> None:
    """End the connections on which the processes hear of new jobs; it takes them half a second to
    listen again."""
    with psycopg.connect(database_url, autocommit=True) as connection:

        def all_listen() -> bool:
            return connection.execute(f"SELECT 1 {_LISTENERS}".encode()).rowcount == count

        until(all_listen, "all listeners")
        connection.execute(f"SELECT pg_terminate_backend(pid) {_LISTENERS}".encode())


#: What the sessions of a database call the time, wherever the clocks of its machines stand.
_SKEWED = """
CREATE SCHEMA skewed;
CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT pg_catalog.clock_timestamp() + interval '{skew}' $$;
CREATE FUNCTION skewed.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS $$ SELECT pg_catalog.now() + interval '{skew}' $$;
ALTER DATABASE {name} SET search_path = skewed, public, pg_catalog;
"""


@pytest.mark.parametrize(
    ("skew", "workers"),
    [
        ("-3 hours", {"workers": 1}),
        ("-3 hours", {"workers": 0, "distant": 1}),
        ("3 hours", {"workers": 0, "distant": 1}),
    ],
    ids=["behind", "behind a distant worker", "ahead of a distant worker"],
)
def test_the_databases_clock_rules_wherever_those_of_the_machines_stand(
    provider: Process, database_url: str, tmp_path: Path, skew: str, workers: dict[str, int]
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        skewed = _SKEWED.format(skew=skew, name=name_of(database_url))
        connection.execute(skewed.encode())
    settings = {"AIGEN_JOB_DEADLINE": "5"}
    with town(tmp_path, provider.url, database_url, apis=1, **workers, settings=settings) as built:
        ann = built.root()
        endless = ann.video("out of time sim:forever")
        ids = [ann.video(f"out of time {number}") for number in range(5)]
        assert Counter(found["status"] for found in ends(ann, ids)) == {"completed": 5}
        late = ann.wait(endless)
        assert late["error_code"] == "deadline"
        times = [datetime.fromisoformat(late[name]) for name in ("created_at", "finished_at")]
        assert timedelta(seconds=5) <= times[1] - times[0] < timedelta(seconds=8)
        assert abs(datetime.now(UTC) - times[0]) > timedelta(hours=2)
        tokens = ann.post("/auth/refresh", {"refresh_token": ann.tokens["refresh_token"]})
        renewed = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert ann.get("/users/me", headers=renewed)["role"] == "admin"
        built.stop()
