"""Whatever is sent, the answer is a problem that explains it: never a 5xx, never an echo.

Nothing here succeeds, so all of it is tried on the same installation.
"""

import json
from typing import Any

import httpx
import pytest

from tests.api.answers import assert_json, assert_problem
from tests.api.test_refused import USUAL, assert_nothing_was_done, shown
from tests.api.world import PASSWORD, Person, World

JSON = {"Content-Type": "application/json"}
routes = pytest.mark.parametrize("route", USUAL, ids=shown)

#: One of each way in which bodies are read.
some_routes = pytest.mark.parametrize(
    "route", ["POST /auth/login", "PUT /users/me", "POST /generate/text", "POST /generate/image"]
)


async def send(
    person: Person, route: str, content: Any, headers: dict[str, str] = JSON
) -> httpx.Response:
    method, path = route.split()
    return await person.ask(method, path, content=content, headers=headers)


# --- JSON that is none ------------------------------------------------------------------------

UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \n ",
    "a word": b"hello",
    "half an object": b'{"model": "m", ',
    "two objects": b"{} {}",
    "a comment": b"{} // x",
    "single quotes": b"{'model': 'm'}",
    "a form": b"model=m&prompt=p",
    "no UTF-8": b'{"model": "\xff"}',
    "half a character": '{"model": "ü"}'.encode()[:-3],
    "a NUL": b'{"model": "\0"}',
    "NULs": b"\0" * 100,
    "half an escape": b'{"model": "\\u00"}',
    "deep lists": b"[" * 100_000,
    "deep lists, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a number of 5000 digits": b'{"n": ' + b"9" * 5000 + b"}",
    "a list": b"[]",
    "a text": b'"hello"',
    "a number": b"5",
    "a number beyond all": b"1e999",
    "null": b"null",
    "true": b"true",
    "NaN": b"NaN",
}


@some_routes
@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_is_no_json_object_is_refused(
    still: World, asker: Person, route: str, content: bytes
) -> None:
    assert_problem(await send(asker, route, content), 422, "invalid_request")
    await assert_nothing_was_done(still)


# --- JSON with strange things in it -------------------------------------------------------------

STRANGE: dict[str, str] = {
    "NaN": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "a number beyond all": "1e999",
    "a number of 4000 digits": "9" * 4000,
    "minus zero": "-0.0",
    "true": "true",
    "half a surrogate pair": '"\\ud800"',
    "the other half": '"x\\udfff"',
    "the halves in the wrong order": '"\\udfff\\ud800"',
    "a NUL": '"a\\u0000b"',
    "an empty list": "[]",
    "a deep list": "[" * 500 + "]" * 500,
    "an object": '{"$ne": null}',
    "a long text": '"' + "x" * 300_000 + '"',
}

#: Fields in which each of these has no place.
FIELDS = [
    ("POST /generate/text", "model"),
    ("POST /generate/text", "prompt"),
    ("POST /generate/text", "system"),
    ("POST /generate/text", "messages"),
    ("POST /generate/text", "temperature"),
    ("POST /generate/image", "size"),
    ("POST /generate/image", "image_url"),
    ("POST /generate/video", "seed"),
    ("POST /generate/video", "resolution"),
    ("POST /generate/video/from-image", "last_image_url"),
    ("POST /auth/register", "email"),
    ("POST /auth/register", "password"),
    ("POST /auth/reset", "new_password"),
    ("POST /auth/refresh", "refresh_token"),
    ("PUT /users/me", "new_password"),
    ("POST /users", "role"),
    ("POST /generate/text", "a field that nobody knows"),
]


CASES = {
    f"{shown(route)} {field}: {name}": (route, field, value)
    for route, field in FIELDS
    for name, value in STRANGE.items()
    if (field, name) not in {("temperature", "minus zero"), ("messages", "an empty list")}
    and not (route == "POST /auth/reset" and name == "a NUL")  # the token is looked at first
}


def with_field(usual: dict[str, Any], name: str, value: str) -> str:
    """The usual body with one field more, or another one, as it is written in JSON."""
    others = [
        f"{json.dumps(key)}: {json.dumps(said)}" for key, said in usual.items() if key != name
    ]
    return "{" + ", ".join([*others, f'"{name}": {value}']) + "}"


@pytest.mark.parametrize(("route", "field", "value"), CASES.values(), ids=CASES.keys())
async def test_a_strange_value_is_refused(
    still: World, asker: Person, route: str, field: str, value: str
) -> None:
    content = with_field(USUAL[route], field, value)
    problem = assert_problem(await send(asker, route, content), 422, "invalid_request")
    for error in problem.get("errors", ()):
        assert error["loc"][:2] == ["body", field]
    await assert_nothing_was_done(still)


NAMES = ["\\ud800", "\\udfff\\ud800", "\\u0000", "__proto__", "", "x" * 5000, "\\u202e", "a.b[0]"]


@some_routes
@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:10] or "(empty)")
async def test_a_field_with_a_strange_name_is_refused(
    still: World, asker: Person, route: str, name: str
) -> None:
    content = with_field(USUAL[route], name, "1")
    problem = assert_problem(await send(asker, route, content), 422, "invalid_request")
    (error,) = problem["errors"]
    assert error["loc"][0] == "body"
    assert len(str(error)) < 400
    await assert_nothing_was_done(still)


async def test_of_a_field_that_is_said_twice_the_last_counts(asker: Person) -> None:
    content = f'{{"email": "root@example.org", "password": "x", "password": "{PASSWORD}"}}'
    assert_json(await send(asker, "POST /auth/login", content))


async def test_a_byte_order_mark_and_other_unicode_encodings_are_read_as_json(
    asker: Person,
) -> None:
    body = json.dumps({"email": "root@example.org", "password": PASSWORD})
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        response = await send(asker, "POST /auth/login", body.encode(encoding))
        assert response.status_code in {200, 422}


# --- what is never repeated -------------------------------------------------------------------

HIDDEN = "hunter2-hunter2-hunter2"


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("POST /auth/login", {"email": 5, "password": HIDDEN}),
        ("POST /auth/login", {"password": HIDDEN}),
        ("POST /auth/login", {"email": "a@example.org", "password": [HIDDEN]}),
        ("POST /auth/login", {"email": "a@example.org", "password": {"x": HIDDEN}}),
        ("POST /auth/login", {"email": "a@example.org", "password": HIDDEN * 500}),
        ("POST /auth/login", {"email": "a@example.org", "passwort": HIDDEN}),
        ("POST /auth/login", [HIDDEN]),
        ("POST /auth/login", HIDDEN),
        ("POST /auth/register", {"email": HIDDEN, "password": HIDDEN + "\0"}),
        ("POST /auth/register", {"email": "a@example.org", "password": HIDDEN + "\ud800"}),
        ("POST /auth/reset", {"token": HIDDEN * 1000, "new_password": HIDDEN}),
        ("POST /auth/refresh", {"refresh_token": [HIDDEN]}),
        ("PUT /users/me", {"current_password": HIDDEN, "email": 5, "new_password": HIDDEN}),
        ("PUT /users/me", {"current_password": HIDDEN, "new_password": HIDDEN + "\0"}),
        ("POST /users", {"email": "a@example.org", "password": HIDDEN, "role": HIDDEN}),
    ],
)
async def test_no_answer_repeats_what_was_sent(asker: Person, route: str, body: Any) -> None:
    response = await send(asker, route, json.dumps(body))
    problem = assert_problem(response, 422, "invalid_request")
    assert HIDDEN not in response.text
    assert all(error.keys() == {"loc", "msg"} for error in problem["errors"])
