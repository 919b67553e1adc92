"""What looks like SQL, HTML, a path or a template is a text like any other, in every field."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio

from aigen.entrypoints.api.app import create_app
from tests.api.world import Person, World
from tests.security.roles import Cast

ATTACKS = {
    "SQL": "'; DROP TABLE users; --",
    "SQL in double quotes": '" OR ""="',
    "SQL that is true": "' OR 1=1 /*",
    "a union": "x' UNION SELECT password_hash FROM users --",
    "a function of DuckDB": "'||read_text('/etc/passwd')||'",
    "a placeholder": "$1 ? %s :id {0}",
    "a pattern": "%_\\",
    "a dollar quote": "$$; SELECT pg_sleep(9); $$",
    "JSON": '{"$ne": null}',
    "a path": "../../../../etc/passwd",
    "an address": "file:///etc/passwd",
    "an inner address": "http://169.254.169.254/latest/meta-data/",
    "HTML": "<script>alert(1)</script>",
    "a template": "{{7*7}}${7*7}<%= 7*7 %>",
    "a header": "x\r\nSet-Cookie: a=b",
    "a log line": "x\n2026-01-01 error everything is lost",
    "a formula": "=HYPERLINK(0)",
    "right to left": "\u202eexe.txt",
    "the last character": "\U0010ffff",
}
#: As they are written in JSON.
UNSTORABLE = {"a NUL": '"a\\u0000b"', "half a pair": '"\\ud800"', "NaN": "NaN", "1e999": "1e999"}


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def cast(world: World) -> Cast:
    return await Cast.of(world)


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plain schemas that a schema may be, wherever they stand."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from resolved(document, document["components"]["schemas"][name])
    elif choices := [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        for choice in choices:
            yield from resolved(document, choice)
    else:
        yield schema


def body_schema(document: dict[str, Any], route: str) -> dict[str, Any]:
    method, path = route.split()
    asked = document["paths"][path][method.lower()].get("requestBody", {})
    found: dict[str, Any] = asked.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def fields(document: dict[str, Any], route: str, kind: str = "string") -> list[str]:
    """The names of a body's fields that may hold a text."""
    return sorted(
        {
            name
            for body in resolved(document, body_schema(document, route))
            for name, schema in body.get("properties", {}).items()
            if any(choice.get("type") == kind for choice in resolved(document, schema))
        }
    )


def queries(document: dict[str, Any], route: str) -> list[str]:
    method, path = route.split()
    parameters = document["paths"][path][method.lower()].get("parameters", ())
    return [found["name"] for found in parameters if found["in"] == "query"]


def routes(document: dict[str, Any]) -> list[str]:
    return [
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    ]


async def ask(cast: Cast, method: str, path: str, **parts: Any) -> httpx.Response:
    answer = await cast.clients["admin"].ask(method, path, **parts)
    assert "set-cookie" not in answer.headers
    assert answer.status_code < 500, (method, path, parts, answer.text)
    assert "root:" not in answer.text, "a file was read"
    return answer


def refusals(route: str) -> set[int]:
    """How a route says that it cannot read a body. Under /v1 it is as OpenAI says it."""
    return {400, 413} if " /v1/" in route else {422, 413}


async def users_of(world: World) -> int:
    return (await world.aigen.admin.statistics()).users.total


async def test_no_text_in_a_body_is_more_than_a_text(world: World, cast: Cast) -> None:
    document = create_app(world.house).openapi()
    tried = 0
    for route in routes(document):
        method, path = route.split()[0], await cast.path(route)
        for field in fields(document, route):
            usual = await cast.body(route) or {}
            for attack in ATTACKS.values():
                await ask(cast, method, path, body={**usual, field: attack})
                tried += 1
    assert tried > 500
    assert (await cast.user.get("/users/me")).status_code == 200


async def test_no_text_in_an_address_is_more_than_a_text(world: World, cast: Cast) -> None:
    document = create_app(world.house).openapi()
    before = await users_of(world)
    for route in routes(document):
        method, path = route.split()
        for attack in ATTACKS.values():
            strange = re.sub(r"\{\w+\}", quote(attack, safe=""), path)
            if strange != path:
                await ask(cast, method, strange)
            for query in queries(document, route):
                await ask(cast, method, strange, params={query: attack})
    assert await users_of(world) == before


async def test_a_search_finds_what_was_written_and_nothing_else(world: World) -> None:
    """Patterns and quotes are looked for as they are."""
    ann = await world.ann()
    for prompt in ATTACKS.values():
        said = {"model": "m", "prompt": prompt}
        assert (await ann.post("/generate/text", said)).status_code == 200
    for prompt in ATTACKS.values():
        found = (await ann.get("/generate/text", params={"q": prompt})).json()["items"]
        assert [item["prompt"] for item in found] == [prompt]


async def test_what_cannot_be_stored_is_refused_in_every_field(world: World, cast: Cast) -> None:
    document = create_app(world.house).openapi()
    accepted = []
    for route in routes(document):
        method, path = route.split()[0], await cast.path(route)
        for kind in ("string", "number", "integer"):
            for field in fields(document, route, kind):
                usual = json.dumps({**(await cast.body(route) or {}), field: "HERE"})
                for name, written in UNSTORABLE.items():
                    content = usual.replace('"HERE"', written)
                    headers = {"Content-Type": "application/json"}
                    answer = await ask(cast, method, path, content=content, headers=headers)
                    # Of a password that holds such a thing it is said that it is not right.
                    if answer.status_code not in {401, 403, *refusals(route)}:
                        accepted.append((route, field, name, answer.status_code))
    assert accepted == []


@pytest.mark.parametrize("depth", [1_000, 100_000])
async def test_no_depth_of_a_body_is_too_much_for_any_route(
    world: World, cast: Cast, depth: int
) -> None:
    document = create_app(world.house).openapi()
    headers = {"Content-Type": "application/json"}
    for route in filter(lambda route: body_schema(document, route), routes(document)):
        method, path = route.split()[0], await cast.path(route)
        for content in ("[" * depth, '{"model":' * depth, "[" * depth + "]" * depth):
            answer = await ask(cast, method, path, content=content, headers=headers)
            assert answer.status_code in refusals(route), route


async def test_a_picture_that_is_too_large_as_base64_is_refused(world: World, ann: Person) -> None:
    """Before it is decoded, in whatever form it says that it is one."""
    filler = "A" * (world.aigen.settings.max_body - 10_000)
    for kind in ("png", "svg+xml", "gif", "html"):
        image_url = f"data:image/{kind};base64,{filler}"
        said = {"model": "m", "prompt": "p", "image_url": image_url}
        for route in ("/generate/image", "/generate/video/from-image"):
            assert (await ann.post(route, said)).status_code == 422
    larger = {"model": "m", "prompt": "p", "image_url": f"data:image/png;base64,{filler * 2}"}
    assert (await ann.post("/generate/image", larger)).status_code == 413


@pytest_asyncio.fixture(loop_scope="package")
async def ann(world: World) -> Person:
    return await world.ann()
