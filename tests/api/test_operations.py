"""Is it alive, is it ready, what has it done; and what a server still does while it stops."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

import aigen
from aigen.entrypoints.api.routes import operations
from aigen.ports.provider import Misconfigured
from aigen.testing import ScriptedProvider
from aigen.testing.samples import a_user, new_id, stored
from tests.api.answers import assert_done, assert_json, assert_problem
from tests.api.conftest import OpenWorld
from tests.api.outages import FlakyStore
from tests.api.test_unsettled import unknown_job
from tests.api.test_videos import submit
from tests.api.world import PASSWORD, Person, World

READY: dict[str, Any] = {"status": "ready", "reasons": [], "workers": 0}


async def reasons(world: World) -> list[str]:
    """Why it is not ready, which it must not be; alive it is all the same."""
    answer = assert_json(await world.anonymous.get("/readyz"), 503)
    assert answer.keys() == READY.keys()
    assert answer["status"] == "unready"
    assert assert_json(await world.anonymous.get("/healthz")) == {"status": "ok"}
    found: list[str] = answer["reasons"]
    return found


# --- what anybody may know --------------------------------------------------------------------


async def test_anybody_may_know_what_the_frontend_must(open_world: OpenWorld) -> None:
    world = await open_world(
        registration="open", public_url="https://api.example.org/a/", max_body=5000
    )
    assert assert_json(await world.anonymous.get("/about")) == {
        "version": aigen.__version__,
        "demo": False,
        "registration": "open",
        "media_origin": "https://api.example.org",
        "max_body": 5000,
        "retention_days": None,
        "retention_bytes_per_user": None,
    }


# --- health and readiness ---------------------------------------------------------------------


async def test_a_sound_installation_is_alive_and_ready(world: World) -> None:
    assert assert_json(await world.anonymous.get("/healthz")) == {"status": "ok"}
    assert assert_json(await world.anonymous.get("/readyz")) == READY


async def test_a_server_that_stops_is_not_ready(world: World) -> None:
    world.house.is_draining = True
    (reason,) = await reasons(world)
    assert "shutting down" in reason


async def test_without_room_on_the_disk_it_is_not_ready(open_world: OpenWorld) -> None:
    (reason,) = await reasons(await open_world(min_free_disk=2**60))
    assert "disk" in reason


async def test_while_the_database_is_away_it_is_not_ready(open_world: OpenWorld) -> None:
    store = FlakyStore()
    world = await open_world({"store": store})
    store.is_away = True
    (reason,) = await reasons(world)
    assert "database" in reason
    store.is_away = False
    assert assert_json(await world.anonymous.get("/readyz")) == READY


async def test_while_the_database_hangs_it_is_not_ready(
    open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "_PATIENCE_SECONDS", 0.01)
    store = FlakyStore()
    world = await open_world({"store": store})
    store.lets_go.clear()
    (reason,) = await reasons(world)
    assert "database" in reason
    store.lets_go.set()


@pytest.mark.parametrize("path", ["/generate/text", "/generate/image"])
async def test_after_our_key_was_refused_it_is_not_ready_until_a_call_succeeds(
    world: World, ann: Person, path: str
) -> None:
    body = {"model": "m", "prompt": "p"}
    refused = Misconfigured(reason="no credit left")
    world.provider.texts.add(refused)
    world.provider.images.add(refused)
    assert_problem(await ann.post(path, body), 502, "provider_misconfigured")
    (reason,) = await reasons(world)
    assert "no credit left" in reason
    assert_json(await ann.post(path, body))
    assert assert_json(await world.anonymous.get("/readyz")) == READY


class LockedOut(ScriptedProvider):
    """A provider that does not take our key, and notes that it was asked about it."""

    def __init__(self) -> None:
        super().__init__()
        self.was_asked = asyncio.Event()

    async def check_key(self) -> Misconfigured | None:
        self.was_asked.set()
        return Misconfigured(reason="no such key")


async def test_a_key_that_the_provider_refuses_is_noticed_before_anybody_generates(
    open_world: OpenWorld,
) -> None:
    catalogue = LockedOut()
    world = await open_world({"catalogue": catalogue})
    async with asyncio.timeout(5):
        await catalogue.was_asked.wait()
    (reason,) = await reasons(world)
    assert "no such key" in reason


async def test_what_keeps_a_worker_from_submitting_is_told(world: World) -> None:
    for _ in range(2):
        worker_id = new_id()
        await world.aigen.work.enlist(worker_id, is_inside=False)
        await world.aigen.work.renew(worker_id, trouble="no credit left")
    (reason,) = await reasons(world)
    assert "no credit left" in reason


async def test_a_worker_outside_is_counted_while_its_lease_lasts(world: World) -> None:
    await world.aigen.work.enlist(new_id(), is_inside=False)
    assert assert_json(await world.anonymous.get("/readyz")) == READY | {"workers": 1}
    world.clock.set(world.clock.now() + timedelta(seconds=60))
    assert assert_json(await world.anonymous.get("/readyz")) == READY


async def test_a_worker_inside_that_works_makes_it_ready(busy: World) -> None:
    ann = await busy.ann()
    job = await submit(ann)
    async with busy.aigen.worker() as worker, asyncio.timeout(5):
        busy.house.worker = worker
        await busy.aigen.videos.wait(job["id"])
        assert assert_json(await busy.anonymous.get("/readyz")) == READY | {"workers": 1}


async def test_a_worker_inside_that_has_not_come_round_lately_makes_it_unready(
    world: World,
) -> None:
    worker = world.house.worker = world.aigen.new_worker()
    assert ["worker" in reason for reason in await reasons(world)] == [True]
    worker.last_seen_at = world.clock.now()
    assert assert_json(await world.anonymous.get("/readyz")) == READY
    world.clock.set(world.clock.now() + timedelta(seconds=15 + 30))
    assert ["worker" in reason for reason in await reasons(world)] == [True]


async def test_a_worker_inside_that_has_only_begun_is_not_said_to_have_stopped(
    open_world: OpenWorld,
) -> None:
    store = FlakyStore()
    world = await open_world({"store": store})
    worker = world.house.worker = world.aigen.new_worker()
    store.lets_go.clear()  # so that it does not get as far as coming round
    working = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    store.lets_go.set()
    assert world.house.is_worker_alive()
    worker.stop()
    await working


async def test_all_reasons_are_given_at_once(open_world: OpenWorld) -> None:
    store = FlakyStore()
    world = await open_world({"store": store}, min_free_disk=2**60)
    world.house.is_draining = True
    world.house.worker = world.aigen.new_worker()
    world.aigen.health.trouble = "no credit"
    store.is_away = True
    assert len(await reasons(world)) == 5


# --- metrics ----------------------------------------------------------------------------------


async def test_metrics_are_off_unless_switched_on(world: World, root: Person) -> None:
    for client in (root, world.operator):
        assert_problem(await client.get("/metrics"), 404, "not_found")


async def test_metrics_are_for_admins_and_the_operator(open_world: OpenWorld) -> None:
    world = await open_world(metrics="on")
    root, ann = await world.root(), await world.ann()
    assert_problem(await world.anonymous.get("/metrics"), 401, "unauthenticated")
    assert_problem(await ann.get("/metrics"), 403, "forbidden")
    assert_problem(await world.worker.get("/metrics"), 401, "token_invalid")
    for client in (root, world.operator):
        response = await client.get("/metrics")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/plain")


async def test_metrics_count_requests_by_route_and_jobs_by_status(open_world: OpenWorld) -> None:
    world = await open_world(metrics=True)
    ann = await world.ann()
    jobs = [await submit(ann) for _ in range(2)]
    assert_json(await ann.post(f"/generate/video/{jobs[0]['id']}/cancel"))
    await ann.get(f"/generate/video/{jobs[1]['id']}")
    await ann.get("/nowhere/secret-word")
    await world.aigen.work.enlist(new_id(), is_inside=False)
    lines = (await world.operator.get("/metrics")).text.splitlines()
    for line in (
        'aigen_video_jobs{status="queued"} 1.0',
        'aigen_video_jobs{status="cancelled"} 1.0',
        'aigen_video_jobs{status="completed"} 0.0',
        "aigen_workers 1.0",
        'aigen_requests_total{method="POST",route="/generate/video",status="202"} 2.0',
        'aigen_requests_total{method="GET",route="/generate/video/{video_id}",status="200"} 1.0',
        'aigen_requests_total{method="GET",route="(none)",status="404"} 1.0',
    ):
        assert line in lines
    assert not [line for line in lines if jobs[0]["id"] in line or "secret-word" in line]


async def test_metrics_count_submissions_of_unknown_outcome(open_world: OpenWorld) -> None:
    world = await open_world(metrics=True)
    await stored(world.aigen.store, user := a_user(), unknown_job(user), unknown_job(user))
    lines = (await world.operator.get("/metrics")).text.splitlines()
    assert "aigen_video_unknown 2.0" in lines
    assert 'aigen_video_jobs{status="failed"} 2.0' in lines


# --- in the log -------------------------------------------------------------------------------


async def test_probes_are_worth_a_line_only_if_they_fail(open_world: OpenWorld) -> None:
    world = await open_world(metrics=True)

    async def levels(*paths: str) -> list[str]:
        with capture_logs() as logged:
            for path in paths:
                await world.operator.get(path)
        return [entry["log_level"] for entry in logged if entry["event"] == "request"]

    assert await levels("/healthz", "/readyz", "/metrics") == ["debug"] * 3
    assert await levels("/about", "/nowhere") == ["info"] * 2
    world.house.is_draining = True
    assert await levels("/healthz", "/readyz") == ["debug", "info"]


# --- while it stops ---------------------------------------------------------------------------


async def test_a_server_that_stops_takes_no_new_work(world: World, ann: Person) -> None:
    job = await submit(ann)
    world.house.is_draining = True
    body = {"model": "m", "prompt": "p"}
    for method, path, sent in (
        ("POST", "/generate/text", body),
        ("POST", "/generate/image", body),
        ("POST", "/generate/video", body),
        ("DELETE", f"/generate/video/{job['id']}", None),
        ("PUT", "/users/me", {"current_password": PASSWORD, "email": "new@example.org"}),
    ):
        assert_problem(await ann.ask(method, path, sent), 503, "shutting_down")


async def test_a_server_that_stops_still_answers_what_is_under_way(
    world: World, ann: Person
) -> None:
    job = await submit(ann)
    image = assert_json(await ann.post("/generate/image", {"model": "m", "prompt": "p"}))
    world.house.is_draining = True
    assert assert_json(await ann.get(f"/generate/video/{job['id']}/status")) == job
    assert (await world.anonymous.get(image["images"][0]["url"])).status_code == 200
    said = {"email": ann.email, "password": PASSWORD}
    tokens = assert_json(await world.anonymous.post("/auth/login", said))
    said = {"refresh_token": tokens["refresh_token"]}
    assert_json(await world.anonymous.post("/auth/refresh", said))
    assert_done(await world.worker.post(f"/work/{new_id()}/enlist"))
