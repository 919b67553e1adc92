"""What no route takes. Nothing here succeeds, so all of it is tried on the same installation."""

from typing import Any

import httpx
import pytest

from tests.api.answers import assert_problem
from tests.api.world import PASSWORD, UNKNOWN_ID, Person, World


async def assert_nothing_was_done(still: World) -> None:
    assert (still.provider.text_requests, still.provider.image_requests) == ([], [])
    folder = still.aigen.settings.media_dir
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    stats = await still.aigen.admin.statistics()
    made = (stats.texts, stats.images, sum(stats.videos.values()))
    assert (stats.users.total, *made) == (1, 0, 0, 0)


GENERATION = {"model": "some/model", "prompt": "A fox"}
USUAL: dict[str, dict[str, Any]] = {
    "POST /generate/text": GENERATION,
    "POST /generate/image": GENERATION,
    "POST /generate/video": GENERATION,
    "POST /generate/video/from-image": GENERATION | {"image_url": "https://example.org/fox.png"},
    "POST /auth/register": {"email": "new@example.org", "password": PASSWORD},
    "POST /auth/login": {"email": "root@example.org", "password": PASSWORD},
    "POST /auth/refresh": {"refresh_token": "x"},
    "POST /auth/logout": {"refresh_token": "x"},
    "POST /auth/reset": {"token": "x", "new_password": PASSWORD},
    "POST /users": {"email": "new@example.org", "password": PASSWORD},
    "PUT /users/me": {"current_password": PASSWORD, "email": "new@example.org"},
    f"PUT /users/{UNKNOWN_ID}/role": {"role": "admin"},
    f"POST /admin/videos/{UNKNOWN_ID}/resolve": {},
}

FIELDS: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "POST /generate/text": [
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n"}, "prompt"),
        ({"prompt": "x" * 200_001}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": ["x"]}, "prompt"),
        ({"model": ""}, "model"),
        ({"model": "x" * 201}, "model"),
        ({"system": "x" * 200_001}, "system"),
        ({"temperature": 2.01}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": "7"}, "max_tokens"),
        ({"stream": "true"}, "stream"),
        ({"messages": {}}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, ["messages", 0, "role"]),
        ({"messages": [{"role": "user"}]}, ["messages", 0, "content"]),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"messages": [{"role": "user", "content": "x", "x": 1}]}, ["messages", 0, "x"]),
        ({"messages": [{"role": "user", "content": "x"}] * 1001}, "messages"),
        ({"top_p": 1}, "top_p"),
    ],
    "POST /generate/image": [
        ({"prompt": ""}, "prompt"),
        ({"model": None}, "model"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"n": "2"}, "n"),
        ({"n": True}, "n"),
        ({"size": ""}, "size"),
        ({"image_size": "x" * 41}, "image_size"),
        ({"aspect_ratio": 1.5}, "aspect_ratio"),
        ({"quality": "hd"}, "quality"),
    ],
    "POST /generate/video": [
        ({"prompt": ""}, "prompt"),
        ({"model": " "}, "model"),
        ({"duration": 0}, "duration"),
        ({"duration": 3601}, "duration"),
        ({"duration": "8"}, "duration"),
        ({"duration": 8.0}, "duration"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**53}, "seed"),
        ({"generate_audio": 1}, "generate_audio"),
        ({"aspect_ratio": ""}, "aspect_ratio"),
        ({"resolution": "x" * 41}, "resolution"),
        ({"n": 2}, "n"),
        ({"image_url": "https://example.org/fox.png"}, "image_url"),
    ],
    "POST /generate/video/from-image": [
        ({"image_url": None}, "image_url"),
        ({"image_url": 5}, "image_url"),
        ({"image_url": ["https://example.org/"]}, "image_url"),
        ({"last_image_url": 5}, "last_image_url"),
        ({"seed": "5"}, "seed"),
    ],
    "POST /auth/register": [
        ({"password": "elevenchars"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"password": "password1234"}, "password"),
        ({"password": "123456789012"}, "password"),
        ({"password": "qwertyuiopas"}, "password"),
        ({"password": "new@example.org"}, "password"),
        ({"password": "New@Example.Org"}, "password"),
        ({"password": "nul\0" + PASSWORD}, "password"),
        ({"password": None}, "password"),
        ({"email": ""}, "email"),
        ({"email": "ann"}, "email"),
        ({"email": "ann@"}, "email"),
        ({"email": "@example.org"}, "email"),
        ({"email": "a b@example.org"}, "email"),
        ({"email": "a@b@example.org"}, "email"),
        ({"email": "ann@exa\nmple.org"}, "email"),
        ({"email": "ü" * 999}, "email"),
        ({"role": "admin"}, "role"),
    ],
    "POST /auth/login": [({"email": None}, "email"), ({"password": 5}, "password")],
    "POST /auth/refresh": [({"refresh_token": ""}, "refresh_token"), ({"x": 1}, "x")],
    "POST /auth/logout": [({"refresh_token": None}, "refresh_token")],
    "POST /auth/reset": [({"token": ""}, "token"), ({"new_password": []}, "new_password")],
    "POST /users": [
        ({"password": "short"}, "password"),
        ({"email": "no address"}, "email"),
        ({"role": "owner"}, "role"),
        ({"role": None}, "role"),
        ({"is_admin": True}, "is_admin"),
    ],
    "PUT /users/me": [
        ({"email": "no address"}, "email"),
        ({"current_password": None}, "current_password"),
        ({"role": "admin"}, "role"),
    ],
    f"PUT /users/{UNKNOWN_ID}/role": [({"role": "root"}, "role"), ({"role": 1}, "role")],
    f"POST /admin/videos/{UNKNOWN_ID}/resolve": [
        ({"charged": "yes"}, "charged"),
        ({"release": False}, "release"),
        ({"cancel": True}, "cancel"),
        ({"provider_job_id": ""}, "provider_job_id"),
        ({"provider_job_id": " "}, "provider_job_id"),
        ({"provider_job_id": "x\0"}, "provider_job_id"),
        ({"provider_job_id": "x" * 201}, "provider_job_id"),
    ],
}
CASES = [(route, said, loc) for route, cases in FIELDS.items() for said, loc in cases]


async def ask(person: Person, route: str, body: Any) -> httpx.Response:
    method, path = route.split()
    return await person.ask(method, path, body)


def shown(value: Any) -> str:
    return str(value).replace(UNKNOWN_ID, "id").replace("\0", "NUL")[:60]


@pytest.mark.parametrize(("route", "said", "loc"), CASES, ids=shown)
async def test_a_field_that_is_wrong_is_named_and_not_repeated(
    still: World, asker: Person, route: str, said: dict[str, Any], loc: Any
) -> None:
    response = await ask(asker, route, USUAL[route] | said)
    problem = assert_problem(response, 422, "invalid_request")
    expected = ["body", *(loc if isinstance(loc, list) else [loc])]
    assert [error["loc"] for error in problem["errors"]] == [expected]
    if loc == "password" and isinstance(said.get("password"), str):
        assert said["password"] not in response.text
    await assert_nothing_was_done(still)


@pytest.mark.parametrize(
    ("route", "missing"),
    [(route, field) for route, usual in USUAL.items() for field in usual if field != "email"],
    ids=shown,
)
async def test_a_field_that_is_missing_is_named(
    still: World, asker: Person, route: str, missing: str
) -> None:
    body = {name: value for name, value in USUAL[route].items() if name != missing}
    problem = assert_problem(await ask(asker, route, body), 422, "invalid_request")
    assert [error["loc"] for error in problem["errors"]] == [["body", missing]]
    await assert_nothing_was_done(still)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"charged": None},
        {"provider_job_id": None},
        {"provider_job_id": "x", "charged": True},
        {"release": True, "charged": False},
    ],
    ids=str,
)
async def test_one_thing_at_a_time_is_said_of_a_job(asker: Person, said: dict[str, Any]) -> None:
    response = await asker.post(f"/admin/videos/{UNKNOWN_ID}/resolve", said)
    assert_problem(response, 422, "invalid_request")


# --- queries and headers ----------------------------------------------------------------------

LISTS = (
    "/generate/text",
    "/generate/image",
    "/generate/video",
    "/users",
    "/admin/audit",
    "/admin/videos",
)
QUERIES: list[tuple[str, str, str]] = [
    *((path, f"limit={value}", "limit") for path in LISTS for value in ("0", "101", "x", "")),
    *((path, "cursor=x", "cursor") for path in LISTS),
    *(("/users", f"cursor={value}", "cursor") for value in ("", UNKNOWN_ID[1:], "x" * 101)),
    *((path, "q=%00", "q") for path in (*LISTS[:4],)),
    *((path, "q=" + "x" * 1001, "q") for path in LISTS[:4]),
    *((path, "model=%00", "model") for path in LISTS[:3]),
    ("/generate/video", "status=done", "status"),
    ("/generate/video", "status=submitting", "status"),
    ("/admin/videos", "status=failed", "status"),
    ("/admin/videos", "status=", "status"),
    ("/models", "output=sound", "output"),
    ("/models", "output=", "output"),
]


@pytest.mark.parametrize(("path", "query", "loc"), QUERIES, ids=shown)
async def test_a_query_that_is_wrong_is_named(
    asker: Person, path: str, query: str, loc: str
) -> None:
    problem = assert_problem(await asker.get(f"{path}?{query}"), 422, "invalid_request")
    assert [error["loc"] for error in problem["errors"]] == [["query", loc]]


@pytest.mark.parametrize("key", ["", " ", "two words", "ü", "x" * 256, "tab\t."])
@pytest.mark.parametrize("path", ["text", "image", "video", "video/from-image"])
async def test_an_idempotency_key_that_is_none_is_refused(
    still: World, asker: Person, path: str, key: str
) -> None:
    headers = {"Idempotency-Key": key.encode()}
    body = USUAL[f"POST /generate/{path}"]
    response = await asker.post(f"/generate/{path}", body, headers=headers)
    problem = assert_problem(response, 422, "invalid_request")
    assert [error["loc"] for error in problem["errors"]] == [["header", "Idempotency-Key"]]
    await assert_nothing_was_done(still)
