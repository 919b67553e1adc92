"""Strange content types, sizes, addresses and headers: refused, and no harm done.

Nothing here succeeds, so all of it is tried on the same installation.
"""

import json
from collections.abc import AsyncIterator

import pytest

from tests.api.answers import assert_json, assert_problem
from tests.api.test_input import routes, send, some_routes
from tests.api.test_refused import USUAL, assert_nothing_was_done, shown
from tests.api.world import PASSWORD, Person, World

# --- content types ----------------------------------------------------------------------------


@some_routes
@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "json",
        "/",
        "",
        "; charset=utf-8",
        "application/" + "x" * 5000,
    ],
    ids=shown,
)
async def test_what_does_not_call_itself_json_is_refused(
    still: World, asker: Person, route: str, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    response = await send(asker, route, json.dumps(USUAL[route]), headers)
    assert_problem(response, 415, "unsupported_media_type")
    await assert_nothing_was_done(still)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", "application/vnd.x+json"],
)
async def test_what_calls_itself_json_in_any_way_is_read(asker: Person, content_type: str) -> None:
    content = json.dumps({"email": "root@example.org", "password": PASSWORD})
    response = await send(asker, "POST /auth/login", content, {"Content-Type": content_type})
    assert_json(response)


# --- size -------------------------------------------------------------------------------------

LIMIT = 2**20


async def chunks(size: int) -> AsyncIterator[bytes]:
    """A body that does not say beforehand how large it is."""
    while size > 0:
        yield b" " * min(size, 65536)
        size -= 65536


@routes
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_beyond_the_limit_is_refused(
    still: World, asker: Person, route: str, is_chunked: bool
) -> None:
    content = chunks(LIMIT + 1) if is_chunked else b" " * (LIMIT + 1)
    response = await send(asker, route, content)
    assert_problem(response, 413, "too_large")
    await assert_nothing_was_done(still)


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_of_just_the_limit_is_read(asker: Person, is_chunked: bool) -> None:
    content = chunks(LIMIT) if is_chunked else b" " * LIMIT
    response = await send(asker, "POST /auth/login", content)
    assert_problem(response, 422, "invalid_request")


async def test_the_callback_route_has_the_limit_too(still: World) -> None:
    for content in (b" " * (LIMIT + 1), chunks(LIMIT + 1)):
        response = await still.http.post("/provider/callback/x.y", content=content)
        assert_problem(response, 413, "too_large")


# --- addresses and headers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/%",
        "/%zz",
        "/%ff%fe",
        "/%00",
        "//",
        "/users/me/",
        "/users/%2e%2e/me",
        "/generate/text/%ed%a0%80",
        "/generate/video/%0d%0aX-Evil:%201/status",
        "/nowhere",
        "/" + "x" * 20_000,
    ],
    ids=shown,
)
async def test_a_strange_address_is_not_found(still: World, asker: Person, path: str) -> None:
    response = await asker.get(path)
    assert_problem(response, 404, "not_found")
    assert "x-evil" not in response.headers


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "CONNECT", "PROPFIND", "MADE-UP", "get"])
async def test_a_strange_method_is_not_allowed(asker: Person, method: str) -> None:
    response = await asker.http.request(method.encode(), "/users/me")  # type: ignore[arg-type]
    assert response.status_code in {401, 405}
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header",
    [
        "Authorization",
        "Idempotency-Key",
        "Prefer",
        "X-Request-ID",
        "X-Forwarded-For",
        "X-Aigen-Web-Token",
        "Accept",
        "Cookie",
        "Range",
        "If-None-Match",
        "Origin",
    ],
)
@pytest.mark.parametrize("value", ["x" * 100_000, "ü\xff\x80", "\t", "'\"<>;,=", "\x01"], ids=shown)
async def test_a_strange_header_does_no_harm(
    still: World, asker: Person, header: str, value: str
) -> None:
    headers = {b"Authorization": f"Bearer {asker.token}".encode(), header.encode(): value.encode()}
    body = {"model": "m", "prompt": ""}
    response = await asker.http.post("/generate/image", json=body, headers=headers)
    assert response.status_code in {401, 422}
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.headers["x-request-id"]) <= 64
    await assert_nothing_was_done(still)
