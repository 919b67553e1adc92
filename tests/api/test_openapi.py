"""The OpenAPI document: whole, valid in form, and true."""

import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest_asyncio

from aigen.domain.model.media import MediaType
from aigen.entrypoints.api.app import create_app
from tests.api.answers import assert_json
from tests.api.world import World

#: Every route of interface.md 3.1 to 3.9 and the frontend's, with the status of its success.
ROUTES = """
    POST /auth/register 201
    POST /auth/login 200
    POST /auth/refresh 200
    POST /auth/logout 204
    POST /auth/reset 204
    GET /users/me 200
    PUT /users/me 200
    GET /users 200
    POST /users 201
    GET /users/{} 200
    PUT /users/{} 200 role
    DELETE /users/{} 204
    POST /users/{} 201 reset-link
    GET /admin/audit 200
    GET /admin/videos 200
    POST /admin/videos/{} 200 resolve
    GET /admin/stats 200
    GET /admin/retention 200
    GET /generate 200
    POST /generate/delete 200
    POST /generate/archive 200
    POST /generate/text 200
    GET /generate/text 200
    GET /generate/text/{} 200
    DELETE /generate/text/{} 204
    POST /generate/image 200
    POST /generate/image 202
    GET /generate/image 200
    GET /generate/image/{} 200
    DELETE /generate/image/{} 204
    POST /generate/video 202
    POST /generate/video/from-image 202
    GET /generate/video 200
    GET /generate/video/{} 200
    DELETE /generate/video/{} 204
    GET /generate/video/{} 200 status
    GET /generate/video/{} 200 events
    POST /generate/video/{} 200 cancel
    POST /generate/video/{} 202 retry
    GET /media/{} 200
    GET /media/{} 206
    GET /media/{} 304
    GET /models 200
    POST /generate/quote 200
    GET /users/me/usage 200
    GET /users/{} 200 limits
    PUT /users/{} 200 limits
    GET /admin/limits 200
    PUT /admin/limits 200
    GET /admin/usage 200
    POST /keys 201
    GET /keys 200
    DELETE /keys/{} 204
    GET /about 200
    GET /healthz 200
    GET /readyz 200
    GET /readyz 503
    GET /metrics 200
    POST /provider/callback/{} 204
    GET /v1/models 200
    GET /v1/models/{} 200
    POST /v1/chat/completions 200
    POST /v1/images/generations 200
    POST /v1/images/edits 200
    POST /v1/videos 200
    GET /v1/videos 200
    GET /v1/videos/{} 200
    DELETE /v1/videos/{} 200
    GET /v1/videos/{} 200 content
    GET /v1/videos/{} 206 content
"""
METHODS = {"get", "put", "post", "delete", "head", "options", "patch", "trace"}


@pytest_asyncio.fixture(loop_scope="package")
async def document(still: World) -> dict[str, Any]:
    found: dict[str, Any] = assert_json(await still.http.get("/openapi.json"))
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        assert item.keys() <= METHODS
        for method, operation in item.items():
            yield method.upper(), path, operation


def listed_routes() -> set[tuple[str, str, str]]:
    """Method, address with `{}` for what varies, status."""
    rows = [line.split() for line in ROUTES.strip().splitlines()]
    return {(method, "/".join([path, *more]), status) for method, path, status, *more in rows}


# --- what is in it ----------------------------------------------------------------------------


async def test_every_route_of_the_interface_and_no_other_is_in_it(
    document: dict[str, Any],
) -> None:
    found = {
        (method, re.sub(r"\{[^}]*\}", "{}", path), status)
        for method, path, operation in operations(document)
        for status in operation["responses"]
        if not status.endswith("XX") and status != "422"
    }
    assert found == listed_routes()


async def test_every_operation_documents_its_answers_and_problems(
    document: dict[str, Any],
) -> None:
    undocumented = []
    for method, path, operation in operations(document):
        answers = operation["responses"]
        refusals = [answers.get("4XX"), answers.get("5XX")]
        if not all(answer and answer["description"] for answer in answers.values()):
            undocumented.append((method, path, "an answer without description"))
        for refusal in refusals:
            schema = (refusal or {}).get("content", {})
            is_openai = path.startswith("/v1/")
            if ("ErrorOut" if is_openai else "ProblemOut") not in str(schema):
                undocumented.append((method, path, "no problem"))
            if schema.keys() != {"application/json" if is_openai else "application/problem+json"}:
                undocumented.append((method, path, f"problems as {sorted(schema)}"))
    assert undocumented == []


async def test_no_operation_claims_the_frameworks_own_422(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in json.dumps(document)


async def test_streams_and_files_are_documented_as_what_they_are(
    document: dict[str, Any],
) -> None:
    paths = document["paths"]
    text = paths["/generate/text"]["post"]["responses"]["200"]["content"]
    assert text.keys() == {"application/json", "text/event-stream"}
    events = paths["/generate/video/{video_id}/events"]["get"]["responses"]["200"]["content"]
    assert events.keys() == {"text/event-stream"}
    for status in ("200", "206"):
        file = paths["/media/{key}"]["get"]["responses"][status]["content"]
        assert file.keys() == {media_type.value for media_type in MediaType}
    archive = paths["/generate/archive"]["post"]["responses"]["200"]["content"]
    assert archive.keys() == {"application/zip"}
    metrics = paths["/metrics"]["get"]["responses"]["200"]["content"]
    assert metrics.keys() == {"text/plain"}


async def test_an_operation_asks_for_a_token_where_the_api_does(
    still: World, document: dict[str, Any]
) -> None:
    wrong = []
    for method, path, operation in operations(document):
        address = re.sub(r"\{[^}]*\}", "x", path)
        answer = await still.http.request(method, address, json={})
        problem = answer.json() if answer.status_code >= 400 else {}
        code = problem.get("error", problem).get("code")
        if (code == "unauthenticated") != bool(operation.get("security")):
            wrong.append((method, path, code))
    assert wrong == []


async def test_inner_routes_are_not_shown(document: dict[str, Any]) -> None:
    for path in document["paths"]:
        assert not path.startswith(("/work", "/maintenance"))


# --- its form ---------------------------------------------------------------------------------


async def test_it_is_an_openapi_document(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"].keys() >= {"title", "version"}
    assert document["info"]["title"] == "aigen"
    for _, path, operation in operations(document):
        assert path.startswith("/")
        assert operation["responses"]
        assert operation["tags"]
        assert operation["summary"]
    assert all(scheme["type"] for scheme in document["components"]["securitySchemes"].values())


async def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


async def test_path_parameters_are_declared_and_required(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        parameters = operation.get("parameters", [])
        declared = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
        assert declared == set(re.findall(r"\{([^}]*)\}", path))
        for parameter in parameters:
            assert parameter["in"] in {"path", "query", "header"}
            assert parameter.get("required", False) or parameter["in"] != "path"
            assert parameter["schema"]
        names = [(parameter["in"], parameter["name"].lower()) for parameter in parameters]
        assert len(names) == len(set(names))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


async def test_all_references_lead_somewhere_and_all_schemas_are_used(
    document: dict[str, Any],
) -> None:
    used = set(references(document))
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert used == schemas


async def test_bodies_refuse_unknown_fields_in_the_document_as_in_fact(
    document: dict[str, Any],
) -> None:
    bodies = {
        reference.rpartition("/")[2]
        for _, path, operation in operations(document)
        for reference in references(operation.get("requestBody"))
        if not path.startswith("/v1/")  # OpenAI's clients have fields that not every model knows
    }
    assert bodies
    for name in bodies:
        assert document["components"]["schemas"][name]["additionalProperties"] is False


async def test_passwords_are_marked_as_such(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, field in (
        ("LoginBody", "password"),
        ("AddUserBody", "password"),
        ("ResetBody", "new_password"),
        ("ChangeSelfBody", "current_password"),
    ):
        assert schemas[name]["properties"][field]["format"] == "password"


async def test_building_it_warns_of_nothing(still: World) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        create_app(still.house).openapi()
    assert [str(warning.message) for warning in caught] == []
