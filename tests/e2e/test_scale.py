"""Two APIs, three workers and a frontend on PostgreSQL and S3: whoever answers and whoever dies, it
is one installation, which loses nothing and pays nothing twice."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from attrs import frozen
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from tests.buckets import S3Server
from tests.e2e.audits import Audit
from tests.e2e.crowds import (
    Appetite,
    Crowd,
    Wish,
    at_api,
    on_pages,
    settle_what_is_unknown,
)
from tests.e2e.processes import (
    Person,
    Process,
    journal,
    simulator,
    submissions,
    until,
)
from tests.e2e.test_browser import PLAYED
from tests.e2e.test_scenarios import *  # noqa: F403 - all of them hold in a town as in a house
from tests.e2e.towns import PASSWORD, Town, statuses, town
from tests.faults.books import books_on_server, digest
from tests.faults.conftest import LONG_RUNS, SEED
from tests.faults.test_kill_loop import Memory
from tests.postgres.server import Server
from tests.web.browsing import ANN
from tests.web.chromium import chromium_if_any
from tests.web.conftest import log_in, page  # noqa: F401
from tests.web.test_journeys import (  # noqa: F401 - and so do these
    test_a_film_is_ordered_and_cancelled_by_keys_alone,
    test_an_administrator_takes_somebody_in_and_out,
    test_everything_is_made_without_scripts,
)

#: Calls to the provider that each worker makes at a time.
SLOTS = 8
MANY, FEW = 120, 5


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        runs = LONG_RUNS if metafunc.config.getoption("--long") else 1
        metafunc.parametrize("seed", range(SEED, SEED + runs))


# --- the town -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with simulator(tmp_path_factory.mktemp("simulator")) as running:
        options = {"journal_entries": 1_000_000, "finished_jobs": 100_000}
        httpx.put(f"{running.url}/simulator/options", json=options, trust_env=False)
        yield running


@frozen
class Bucket:
    server: S3Server
    name: str

    def digests(self) -> dict[str, str]:
        """Of every file, by its key."""
        return {
            key: digest(self.server.read(self.name, key)) for key in self.server.keys(self.name)
        }


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    server = S3Server()
    yield Bucket(server, server.new_bucket())
    server.stop()


@pytest.fixture(scope="module")
def the_town(
    provider: Process,
    bucket: Bucket,
    postgres: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Town]:
    """What one test leaves behind there must not matter to the next."""
    with (
        postgres.database() as url,
        town(
            tmp_path_factory.mktemp("town"),
            provider.url,
            url,
            workers=2,
            distant=1,
            webs=1,
            settings={
                "AIGEN_MEDIA_URL": f"s3://{bucket.name}",
                "AIGEN_WORKER_CONCURRENCY": str(SLOTS),
                "AIGEN_SUBMIT_TIMEOUT": "5",
                "AIGEN_SHUTDOWN_GRACE": "4",
            }
            | bucket.server.variables,
        ) as built,
    ):
        yield built
        built.stop()


@frozen
class Door:
    """What tests of a single house know of it."""

    url: str


@pytest.fixture(scope="module")
def house(the_town: Town) -> Door:
    return Door(the_town.door)


@pytest.fixture(scope="module")
def root(the_town: Town) -> Person:
    """The administrator, of whose requests each goes to another API than the one before."""
    return the_town.root()


@pytest.fixture  # type: ignore[no-redef]
def ann(the_town: Town, root: Person) -> Iterator[Person]:
    """A plain user of the same kind, who is gone after the test."""
    user = root.post("/users", {"email": "ann@example.org", "password": PASSWORD}, status=201)
    yield the_town.log_in("ann@example.org")
    root.client.delete(f"/users/{user['id']}")


# --- its pages ------------------------------------------------------------------------------


@pytest.fixture
def ann_at_api(the_town: Town, root: Person) -> Iterator[Person]:
    user = root.post("/users", ANN, status=201)
    yield the_town.log_in(ANN["email"], ANN["password"])
    root.client.delete(f"/users/{user['id']}")


@pytest.fixture
def site(the_town: Town, ann_at_api: Person) -> str:
    return the_town.webs[0].url


@pytest.fixture
def chromium() -> Iterator[Chromium]:
    """For one test: while there is one, nobody else may run an event loop."""
    with chromium_if_any() as browser:
        yield browser


# --- one installation -----------------------------------------------------------------------


def test_a_logout_at_one_api_counts_at_once_at_the_other(the_town: Town, ann: Person) -> None:
    here = the_town.log_in("ann@example.org", number=0)
    there = the_town.also_at(here, 1)
    assert there.get("/users/me")["email"] == "ann@example.org"
    here.post("/auth/logout", {"refresh_token": here.tokens["refresh_token"]}, 204)
    assert there.get("/users/me", 401)["code"] == "token_revoked"


def test_a_role_a_key_and_an_account_end_at_once_at_the_other(
    the_town: Town, root: Person, ann: Person
) -> None:
    here, there = the_town.also_at(root, 0), the_town.also_at(ann, 1)
    user_id = there.get("/users/me")["id"]
    there.get("/admin/stats", 403)
    here.put(f"/users/{user_id}/role", {"role": "admin"})
    assert there.get("/admin/stats")["users"]["admins"] == 2
    here.put(f"/users/{user_id}/role", {"role": "user"})
    there.get("/admin/stats", 403)
    key = there.post("/keys", {"name": "for a script"}, 201)
    shown = {"Authorization": f"Bearer {key['key']}"}
    at = [the_town.also_at(ann, number) for number in (0, 1)]
    assert [person.get("/generate/video", headers=shown)["items"] for person in at] == [[], []]
    there.delete(f"/keys/{key['id']}")
    at[0].get("/generate/video", 401, headers=shown)
    here.delete(f"/users/{user_id}")
    assert there.get("/users/me", 401)["code"] == "token_revoked"


def test_guesses_at_all_apis_are_counted_together(the_town: Town, root: Person) -> None:
    right = {"email": "bob@example.org", "password": PASSWORD}
    root.post("/users", right, 201)
    bob = the_town.log_in(right["email"])
    guess = right | {"password": "not the pass phrase"}
    answers = [
        httpx.post(f"{the_town.apis[n % 2].url}/auth/login", json=guess, trust_env=False)
        for n in range(12)
    ]
    assert [answer.status_code for answer in answers[:10]] == [401] * 10
    for process in the_town.apis:
        answer = httpx.post(f"{process.url}/auth/login", json=right, trust_env=False)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert bob.get("/users/me")["email"] == right["email"]


@pytest.mark.parametrize("kind", ["text", "image", "video"])
def test_a_key_shown_at_both_apis_buys_once(
    the_town: Town, ann: Person, provider: Process, kind: str
) -> None:
    wish = Wish(kind=kind, prompt=f"A {kind} for both", key="the-same")
    ids = {at_api(the_town.also_at(ann, number))(wish) for number in (0, 1, 0, 1)}
    assert len(ids) == 1
    if kind == "video":
        assert ann.wait(ids.pop() or "")["status"] == "completed"
    assert [entry["prompt"] for entry in journal(provider.url)].count(wish.prompt) == 1


def test_a_change_is_seen_at_once_at_an_api_that_had_no_part_in_it(
    the_town: Town, ann: Person
) -> None:
    here, there = (the_town.also_at(ann, number) for number in (0, 1))
    watched = here.video("Watched from elsewhere sim:sleep=1")
    seen = list(statuses(there, watched))
    assert seen[-1] == "completed"
    cancelled = here.video("Cancelled from elsewhere sim:forever")
    with ThreadPoolExecutor(1) as threads:
        watching = threads.submit(lambda: list(statuses(there, cancelled)))
        until(lambda: here.get(f"/generate/video/{cancelled}")["submitted_at"], "the submission")
        here.post(f"/generate/video/{cancelled}/cancel")
        assert watching.result(10)[-1] == "cancelled"


def test_one_users_many_jobs_do_not_keep_anothers_waiting_at_any_worker(
    the_town: Town, ann: Person, root: Person, provider: Process
) -> None:
    many = [root.video(f"One of many {number} sim:delay=0.5") for number in range(MANY)]
    before = sent(provider, "One of many")
    few = [ann.video(f"One of a few {number}") for number in range(FEW)]
    until(lambda: sent(provider, "One of a few") == FEW, "the submission of the few")
    # What the workers had in hand, one of the many for each of the few, and some for us to look.
    assert sent(provider, "One of many") - before <= 3 * SLOTS + FEW + SLOTS
    for job_id in (*many, *few):
        root.client.post(f"/generate/video/{job_id}/cancel")


def sent(provider: Process, words: str) -> int:
    """How many submissions have begun so."""
    return sum(entry["prompt"].startswith(words) for entry in submissions(provider.url))


def test_a_film_ordered_on_the_pages_plays_from_the_bucket(
    page: Page,  # noqa: F811
    ann_at_api: Person,
    bucket: Bucket,
) -> None:
    log_in(page)
    page.goto("/video")
    page.get_by_label("Prompt", exact=True).fill("A film to be watched")
    page.get_by_role("button", name="Film").first.click()
    page.wait_for_url(re.compile(r"/video/[\w-]{36}$"))
    assert ann_at_api.wait(page.url.rpartition("/")[2])["status"] == "completed"
    page.reload()
    expect(page.locator("video")).to_have_attribute("src", re.compile(f"^{bucket.server.url}/"))
    width, _, duration, error = page.evaluate(PLAYED)
    assert (width > 0, duration > 3, error) == (True, True, None)


# --- whoever is killed ----------------------------------------------------------------------


SHORT, SHORT_KILLS = Appetite(videos=10, texts=10, images=8), 7
LONG, LONG_KILLS = Appetite(videos=40, texts=40, images=30), 30
AT_API, ON_PAGES = 4, 2


def test_whoever_is_killed_nothing_is_lost_or_charged_twice(
    the_town: Town,
    root: Person,
    provider: Process,
    bucket: Bucket,
    seed: int,
    request: pytest.FixtureRequest,
) -> None:
    is_long = request.config.getoption("--long")
    kills, appetite = (LONG_KILLS, LONG) if is_long else (SHORT_KILLS, SHORT)
    print(f"seed {seed}: {kills} kills while everybody wants {appetite}")
    luck, memory = random.Random(seed), Memory()
    crowd = gathered(the_town, root, appetite, seed)
    with ThreadPoolExecutor(len(crowd.people)) as threads:
        errands = crowd.go(threads)
        for number, victim in enumerate(victims_of(the_town, luck, kills)):
            share = (number + luck.random()) / (kills + 1)
            until(lambda share=share: crowd.share_served() >= share, "a random moment")
            promised = crowd.videos()
            print(f"{crowd.share_served():.0%} served: kill {victim.folder.name}")
            the_town.kill_and_revive(victim)
            found = crowd.jobs()
            assert promised <= set(found), "a promised job is lost"
            memory.hold_against(found)
        for errand in errands:
            errand.result()
    crowd.wait()
    memory.hold_against(crowd.jobs())
    print(Counter(job["error_code"] or job["status"] for job in crowd.jobs().values()))
    settle_what_is_unknown(root, crowd, provider)
    crowd.wait()
    print(f"{len(crowd.given)} were answered, {len(crowd.in_doubt)} are in doubt")
    Audit(
        books=books_on_server(the_town.database_url),
        crowd=crowd,
        journal=journal(provider.url),
        files=bucket.digests(),
    ).must_be_passed()


def victims_of(the_town: Town, luck: random.Random, kills: int) -> list[Process]:
    """Everybody's turn comes before anybody's next one."""
    victims: list[Process] = []
    while len(victims) < kills:
        victims += luck.sample(the_town.processes, k=len(the_town.processes))
    return victims[:kills]


def gathered(the_town: Town, root: Person, appetite: Appetite, seed: int) -> Crowd:
    """People with wishes, some of whom use the API and some the pages."""
    crowd = Crowd()
    for number in range(AT_API + ON_PAGES):
        email = f"user-{number}@{seed}.example.org"
        root.post("/users", {"email": email, "password": PASSWORD}, 201)
        person = the_town.log_in(email)
        asking = at_api(person) if number < AT_API else on_pages(the_town.visitor(email))
        crowd.join(person, asking, appetite.wishes(email))
    return crowd
