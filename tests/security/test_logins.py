"""Guessing passwords, in a flood or in disguise, and passwords at the edge of what there is."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import bcrypt
import httpx
import pytest
import pytest_asyncio
from attrs import define, field

from tests.api.answers import assert_json, assert_problem
from tests.api.world import PASSWORD, Person, World, in_process, opened


@pytest_asyncio.fixture(loop_scope="package")
async def ann(world: World) -> Person:
    return await world.ann()


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def strict(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """An installation in which waiting begins after three failures."""
    folder = tmp_path_factory.mktemp("strict")
    async with opened(folder, login_failures=3, login_failures_per_address=40) as world:
        yield world


async def login(world: World, email: str, password: str = PASSWORD, **parts: Any) -> httpx.Response:
    return await world.anonymous.post(
        "/auth/login", {"email": email, "password": password}, **parts
    )


# --- a storm --------------------------------------------------------------------------------------


@define
class Checks:
    """Stands where bcrypt checks: what was checked, in which thread, at which cost; nothing is
    let through before `gate` is opened."""

    gate: threading.Event = field(factory=threading.Event)
    threads: list[int] = field(factory=list)
    costs: list[bytes] = field(factory=list)

    def checkpw(self, password: bytes, hashed: bytes) -> bool:
        self.threads.append(threading.get_ident())
        self.costs.append(hashed[:7])
        assert self.gate.wait(60)
        return False


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Checks]:
    checks = Checks()
    monkeypatch.setattr(bcrypt, "checkpw", checks.checkpw)
    yield checks
    checks.gate.set()


async def test_while_no_password_gets_checked_everything_else_goes_on(
    world: World, ann: Person, checks: Checks
) -> None:
    """However slow a check is: of a storm some wait, the rest are sent away at once, and whoever
    wants anything else notices nothing."""
    storm = [
        asyncio.create_task(login(world, f"nobody-{number}@example.org")) for number in range(200)
    ]
    for _ in range(3):
        assert_json(await world.anonymous.get("/healthz"))
        assert_json(await world.anonymous.get("/readyz"))
        assert_json(await ann.get("/users/me"))
        assert_json(await ann.post("/generate/text", {"model": "m", "prompt": "p"}))
        said = {"refresh_token": ann.refresh_token}
        await world.anonymous.post("/auth/refresh", said)
    waiting = [task for task in storm if not task.done()]
    assert 0 < len(waiting) <= 32
    checks.gate.set()
    statuses = Counter(answer.status_code for answer in await asyncio.gather(*storm))
    assert statuses == {401: len(waiting), 429: 200 - len(waiting)}


async def test_no_password_is_hashed_on_the_event_loop(
    tmp_path_factory: pytest.TempPathFactory, checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the first of somebody who does not exist, in a process that has just begun."""
    hashed_by: list[int] = []
    hashpw = bcrypt.hashpw

    def watched(password: bytes, salt: bytes) -> bytes:
        hashed_by.append(threading.get_ident())
        return hashpw(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", watched)
    checks.gate.set()
    async with opened(tmp_path_factory.mktemp("first"), registration="open") as world:
        for email in ("nobody@example.org", "ann@example.org"):
            assert_problem(await login(world, email), 401, "invalid_credentials")
            said = {"email": "ann@example.org", "password": PASSWORD}
            await world.anonymous.post("/auth/register", said)
    assert len(hashed_by) == 2
    assert len(checks.threads) == 2
    assert threading.get_ident() not in {*hashed_by, *checks.threads}


async def test_nobody_and_somebody_cost_the_same(
    tmp_path_factory: pytest.TempPathFactory, checks: Checks
) -> None:
    """As many checks, at the same cost: from the first login of the process on."""
    async with opened(tmp_path_factory.mktemp("new"), bcrypt_cost=5) as world:
        await world.aigen.users.add("ann@example.org", PASSWORD)
        checks.gate.set()
        answers = [await login(world, email) for email in ("nobody@example.org", "ann@example.org")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert checks.costs == [b"$2b$05$"] * 2


# --- guesses --------------------------------------------------------------------------------------


async def test_a_made_up_forwarded_address_does_not_help(strict: World) -> None:
    """Each guess says that it comes from somewhere else, and comes from one address."""
    async with in_process(strict.house, "198.51.100.99") as http:
        statuses = []
        for number in range(43):
            said = {"email": f"nobody-{number}@example.org", "password": PASSWORD}
            headers = {
                "X-Forwarded-For": f"203.0.113.{number}",
                "X-Real-IP": f"203.0.113.{number}",
                "Forwarded": f"for=203.0.113.{number}",
                "X-Aigen-Web-Token": "a-guess",
            }
            answer = await http.post("/auth/login", json=said, headers=headers)
            statuses.append(answer.status_code)
    assert statuses == [401] * 40 + [429] * 3


async def test_the_current_password_cannot_be_guessed_by_whoever_has_a_session(
    strict: World,
) -> None:
    """A stolen session is not the way to the password that it was made with."""
    eve = await strict.bob()
    change = {"new_password": "another long pass phrase"}
    statuses = []
    for number in range(5):
        said = change | {"current_password": f"guess {number}"}
        statuses.append((await eve.put("/users/me", said)).status_code)
    assert statuses == [403] * 3 + [429] * 2
    answer = await eve.put("/users/me", change | {"current_password": PASSWORD})
    assert_problem(answer, 429, "too_many_attempts")
    assert_json(await eve.get("/users/me"))  # the session is untouched


async def test_guesses_of_the_current_password_at_once_do_not_outrun_the_count(
    strict: World,
) -> None:
    eve = await strict.bob()
    answers = await asyncio.gather(
        *(
            eve.put("/users/me", {"current_password": f"guess {n}", "email": "eve@example.org"})
            for n in range(10)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {403: 3, 429: 7}


async def test_the_right_current_password_clears_the_count(strict: World) -> None:
    eve = await strict.bob()
    for email in ("eve-1@example.org", "eve-2@example.org"):
        for _ in range(2):
            wrong = {"current_password": "wrong", "email": email}
            assert_problem(await eve.put("/users/me", wrong), 403, "wrong_password")
        assert_json(await eve.put("/users/me", {"current_password": PASSWORD, "email": email}))


# --- passwords at the edge ------------------------------------------------------------------------

LONG = {
    "72 bytes": "correct horse battery staple ".ljust(72, "z"),
    "40 letters of two bytes": "ü" * 20 + "ö" * 15 + "äàáâå",
    "256 characters": "a pass phrase that goes on and on ".ljust(256, "y"),
    "256 emoji": "🦊🐻🐼🐨" * 64,
    "families": "👩‍👩‍👧‍👦" * 20,
    "right to left": "سلام دنیای بزرگ ما",
    "blanks around": "  a pass phrase with blanks  ",
    "line breaks and a bell": "first line\nsecond\tline\x07",
    "what SQL would read": "'; DROP TABLE users; --",
}


@pytest.mark.parametrize("password", LONG.values(), ids=LONG.keys())
async def test_a_long_or_strange_password_counts_to_its_last_character(
    world: World, password: str
) -> None:
    email = (await world.ann()).email.replace("ann", "with-a-strange-password")
    user = await world.aigen.users.add(email, PASSWORD)
    link = await world.aigen.users.make_reset_link(user.id)
    said = {"token": link.secret, "new_password": password}
    assert (await world.anonymous.post("/auth/reset", said)).status_code == 204
    assert_json(await login(world, email, password))
    for other in (password[:-1], password + "x", password.strip() + "  ", password.swapcase()):
        if other != password:
            assert_problem(await login(world, email, other), 401, "invalid_credentials")


@pytest.mark.parametrize("password", ["", "x" * 4096, "🦊" * 4096, "\0", "a\0b" * 20])
async def test_no_password_is_too_strange_to_be_wrong(
    world: World, ann: Person, password: str
) -> None:
    for email in (ann.email, "nobody@example.org"):
        assert_problem(await login(world, email, password), 401, "invalid_credentials")
