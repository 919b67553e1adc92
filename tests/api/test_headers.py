"""What every answer carries, whatever it is; and who may call from a browser."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from tests.api.answers import assert_id, assert_json, assert_problem
from tests.api.conftest import OpenWorld, Serve
from tests.api.test_errors import Buggy
from tests.api.test_strange_requests import chunks
from tests.api.world import PASSWORD, UNKNOWN_ID, Person, World, opened

GENERATION = {"model": "m", "prompt": "p"}

#: Requests of an administrator, and the statuses that they get.
REQUESTS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "ok": ("GET", "/users/me", {}, 200),
    "made": ("POST", "/generate/video", {"json": GENERATION}, 202),
    "accepted": ("POST", "/generate/video", {"json": GENERATION}, 202),
    "stream": ("POST", "/generate/text", {"json": GENERATION | {"stream": True}}, 200),
    "done": ("POST", f"/work/{UNKNOWN_ID}/enlist", {}, 204),
    "login": (
        "POST",
        "/auth/login",
        {"json": {"email": "root@example.org", "password": PASSWORD}},
        200,
    ),
    "not logged in": ("GET", "/users/me", {"headers": {"Authorization": ""}}, 401),
    "forbidden": ("GET", "/media/x", {}, 403),
    "not found": ("GET", f"/generate/text/{UNKNOWN_ID}", {}, 404),
    "nowhere": ("GET", "/nowhere", {}, 404),
    "wrong method": ("PATCH", "/users/me", {}, 405),
    "too large": ("POST", "/auth/login", {"content": b" " * 20_000}, 413),
    "no json": ("POST", "/auth/login", {"content": b"x"}, 415),
    "invalid": ("POST", "/auth/login", {"json": {}}, 422),
    "a bug": ("POST", "/generate/image", {"json": GENERATION}, 500),
    "health": ("GET", "/healthz", {}, 200),
    "ready": ("GET", "/readyz", {}, 200),
    "models": ("GET", "/models", {}, 200),
    "document": ("GET", "/openapi.json", {}, 200),
    "pages": ("GET", "/docs", {}, 200),
}


async def ask(world: World, root: Person, name: str, **headers: str) -> httpx.Response:
    method, path, parts, status = REQUESTS[name]
    client = world.worker if path.startswith("/work") else root
    said = parts.get("headers", {}) | headers
    with capture_logs():
        response = await client.ask(method, path, **{**parts, "headers": said})
    assert response.status_code == status, response.text
    return response


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One for all tests here, with something that fails in it."""
    folder = tmp_path_factory.mktemp("headers")
    async with opened(folder, {"image_provider": Buggy()}, max_body=10_000) as world:
        yield world


async def test_every_answer_carries_what_keeps_browsers_honest(world: World, root: Person) -> None:
    missing = []
    for name in REQUESTS:
        response = await ask(world, root, name, Origin="https://evil.example")
        expected = {
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cache-control": "no-store",
        }
        said = {header: response.headers.get(header) for header in expected}
        missing += [(name, said)] if said != expected else []
        assert_id(response.headers["x-request-id"])
        for header in response.headers:
            assert not header.startswith("access-control-")
            assert header not in {"server", "set-cookie", "x-powered-by"}
            assert len(response.headers.get_list(header)) == 1
    assert missing == []


async def test_every_refusal_and_failure_is_a_problem(world: World, root: Person) -> None:
    wrong = []
    for name, (_, _, _, status) in REQUESTS.items():
        response = await ask(world, root, name)
        kind = response.headers.get("content-type", "")
        if (status >= 400) != (kind == "application/problem+json"):
            wrong.append((name, kind))
    assert wrong == []


async def test_a_method_that_is_not_allowed_says_which_are(world: World, root: Person) -> None:
    response = await ask(world, root, "wrong method")
    assert_problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["allow"]


async def test_a_distant_client_that_sends_too_much_is_told_so(world: World, serve: Serve) -> None:
    http = await serve(world)
    for content in (b" " * 100_000, chunks(200_000)):
        headers = {"Content-Type": "application/json"}
        response = await http.post("/auth/login", content=content, headers=headers)
        assert_problem(response, 413, "too_large")


# --- request ids ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_id", ["a", "A-9", "x" * 64, "0192f0c0-1111-7222-8333-444455556666"]
)
async def test_a_harmless_request_id_is_taken_over(
    world: World, root: Person, request_id: str
) -> None:
    for name in ("ok", "not logged in", "nowhere", "invalid"):
        response = await ask(world, root, name, **{"X-Request-ID": request_id})
        assert response.headers["x-request-id"] == request_id
        if response.status_code >= 400:
            assert response.json()["request_id"] == request_id


@pytest.mark.parametrize(
    "request_id",
    ["", "x" * 65, "a b", "a\tb", "a_b", "a.b", "<script>", "ü", "%0a", "a\x01", "a\n"],
    ids=ascii,
)
async def test_any_other_is_replaced(world: World, request_id: str) -> None:
    headers = {b"X-Request-ID": request_id.encode()}
    response = await world.http.get("/nowhere", headers=headers)
    assert_problem(response, 404, "not_found")
    assert_id(response.headers["x-request-id"])


async def test_every_request_has_an_id_of_its_own(world: World) -> None:
    ids = [(await world.http.get("/healthz")).headers["x-request-id"] for _ in range(5)]
    assert ids == sorted(set(ids))


# --- other origins ----------------------------------------------------------------------------

OURS, FOREIGN = "https://app.example.org", "https://evil.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "authorization, content-type, idempotency-key, prefer",
}


@pytest_asyncio.fixture(loop_scope="package")
async def shared(open_world: OpenWorld) -> World:
    """An installation that may be called from other origins."""
    return await open_world(cors_origins=f"{OURS}, https://other.example.org")


async def test_without_configured_origins_no_browser_may_ask(world: World) -> None:
    response = await world.http.options("/users/me", headers={"Origin": OURS} | PREFLIGHT)
    assert_problem(response, 405, "method_not_allowed")
    assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_a_configured_origin_may_ask_and_read_what_it_needs(shared: World) -> None:
    preflight = await shared.http.options("/users/me", headers={"Origin": OURS} | PREFLIGHT)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == OURS
    allowed = preflight.headers["access-control-allow-headers"].lower()
    for header in ("authorization", "content-type", "idempotency-key", "prefer"):
        assert header in allowed
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert method in preflight.headers["access-control-allow-methods"]

    ann = await shared.ann()
    response = await ann.get("/users/me", headers={"Origin": OURS})
    assert_json(response)
    assert response.headers["access-control-allow-origin"] == OURS
    assert "origin" in response.headers["vary"].lower()
    exposed = response.headers["access-control-expose-headers"].lower()
    for header in ("x-request-id", "idempotent-replay", "retry-after"):
        assert header in exposed
    assert "access-control-allow-credentials" not in response.headers


async def test_a_configured_origin_may_read_refusals_too(shared: World) -> None:
    for path, status, code in (
        ("/users/me", 401, "unauthenticated"),
        ("/nowhere", 404, "not_found"),
    ):
        response = await shared.http.get(path, headers={"Origin": OURS})
        assert_problem(response, status, code)
        assert response.headers["access-control-allow-origin"] == OURS


async def test_another_origin_may_not(shared: World) -> None:
    for origin in (FOREIGN, "null", OURS + ".evil.example", OURS.upper()):
        preflight = await shared.http.options("/users/me", headers={"Origin": origin} | PREFLIGHT)
        assert preflight.status_code >= 400
        response = await shared.http.get("/healthz", headers={"Origin": origin})
        for answer in (preflight, response):
            assert "access-control-allow-origin" not in answer.headers


async def test_what_is_refused_at_the_gate_can_be_read_by_a_configured_origin(
    shared: World,
) -> None:
    headers = {"Origin": OURS, "Content-Length": str(10**12)}
    large = await shared.http.post("/auth/login", content=b"", headers=headers)
    assert_problem(large, 413, "too_large")
    shared.house.is_draining = True
    late = await shared.http.post("/generate/text", json=GENERATION, headers={"Origin": OURS})
    assert_problem(late, 503, "shutting_down")
    for response in (large, late):
        assert response.headers["access-control-allow-origin"] == OURS


async def test_a_failure_can_be_read_by_a_configured_origin(open_world: OpenWorld) -> None:
    world = await open_world({"text_provider": Buggy()}, cors_origins=OURS)
    ann: Person = await world.ann()
    with capture_logs():
        failed = await ann.post("/generate/text", GENERATION, headers={"Origin": OURS})
    assert failed.status_code == 500
    assert failed.headers.get("access-control-allow-origin") == OURS
