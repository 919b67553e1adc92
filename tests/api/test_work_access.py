"""Who may touch the job board, what it takes, and how outages look to a distant worker."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from aigen.adapters.http.board import HouseClient, HttpJobBoard
from aigen.domain.model.errors import DatabaseUnavailable, Forbidden
from aigen.domain.model.videos import VideoError
from aigen.ports.jobs import JobBoard, NoFilm
from aigen.ports.provider import Accepted
from aigen.testing.samples import new_id
from tests.api.answers import assert_done, assert_problem
from tests.api.conftest import OpenWorld
from tests.api.outages import FlakyStore
from tests.api.test_work import Connect, connect
from tests.api.world import UNKNOWN_ID, Person, World

__all__ = ["connect"]


@pytest.fixture
def world(common: World) -> World:
    return common


ROUTES = [
    ("POST", f"/work/{UNKNOWN_ID}/enlist"),
    ("POST", f"/work/{UNKNOWN_ID}/renew"),
    ("POST", f"/work/{UNKNOWN_ID}/claim"),
    ("POST", f"/work/{UNKNOWN_ID}/recall"),
    ("POST", f"/work/{UNKNOWN_ID}/release"),
    ("POST", f"/work/jobs/{UNKNOWN_ID}/nonce/record"),
    ("POST", f"/work/jobs/{UNKNOWN_ID}/1/finish"),
    ("GET", "/work/events"),
    ("PUT", "/work/media/a/b/?name=c"),
    ("GET", "/work/media/a/b/c"),
]


async def test_the_board_is_for_workers_alone(world: World, ann: Person, root: Person) -> None:
    for method, path in ROUTES:
        assert_problem(await world.anonymous.ask(method, path), 401, "unauthenticated")
        for client in (ann, root, world.operator, world.bearing("a-guess")):
            assert_problem(await client.ask(method, path), 403, "forbidden")


async def test_what_no_worker_sends_is_refused(world: World, root: Person) -> None:
    for method, path in ROUTES:
        if not path.endswith(("renew", "claim", "recall", "record", "finish")):
            continue
        for content in (b"", b"{", b"[]", b"null", b'{"x": 1}', b"\xff", b"[" * 100_000):
            response = await world.worker.ask(method, path, content=content)
            assert_problem(response, 422, "invalid_request")


@pytest.mark.parametrize("submissions", [-1, 10**9, "many", None, 1e400])
async def test_no_worker_claims_an_impossible_number_of_jobs(
    world: World, submissions: Any
) -> None:
    content = json.dumps({"submissions": submissions})
    response = await world.worker.post(f"/work/{UNKNOWN_ID}/claim", content=content)
    assert_problem(response, 422, "invalid_request")


@pytest.mark.parametrize("worker_id", ["w", "%00", "x" * 500, "'--", UNKNOWN_ID.upper() + "A"])
async def test_a_worker_with_an_impossible_id_is_not_found(world: World, worker_id: str) -> None:
    for action in ("enlist", "renew", "claim", "recall", "release"):
        response = await world.worker.post(f"/work/{worker_id}/{action}")
        assert_problem(response, 404, "not_found")
    assert_done(await world.worker.post(f"/work/{new_id()}/enlist"))


CALLS: dict[str, Callable[[JobBoard], Awaitable[Any]]] = {
    "enlist": lambda board: board.enlist(UNKNOWN_ID, is_inside=False),
    "renew": lambda board: board.renew(UNKNOWN_ID, trouble=None),
    "claim": lambda board: board.claim(UNKNOWN_ID, submissions=1),
    "recall": lambda board: board.recall(UNKNOWN_ID, holding=()),
    "record": lambda board: board.record(UNKNOWN_ID, "n", Accepted(provider_job_id="x")),
    "finish": lambda board: board.finish(
        UNKNOWN_ID, 1, NoFilm(code=VideoError.DEADLINE, reason="x")
    ),
    "release": lambda board: board.release(UNKNOWN_ID),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_an_outage_and_a_wrong_token_are_told_apart(
    open_world: OpenWorld, connect: Connect, call: Callable[[JobBoard], Awaitable[Any]]
) -> None:
    store = FlakyStore()
    world = await open_world({"store": store})
    store.is_away = True
    with pytest.raises(DatabaseUnavailable):
        await call(HttpJobBoard(await connect(world)))
    with pytest.raises(Forbidden):
        await call(HttpJobBoard(await connect(world, "a-guess")))


async def test_a_house_that_cannot_be_reached_is_an_outage(unused_tcp_port: int) -> None:
    house = HouseClient(f"http://127.0.0.1:{unused_tcp_port}", "a-worker")
    with pytest.raises(DatabaseUnavailable):
        await HttpJobBoard(house).claim(UNKNOWN_ID, submissions=1)
    await house.aclose()
