"""Every route for every role: who gets in, and what the others are told.

A route that is not in the table fails the test, and so does a line without a route.
"""

import re

import pytest
import pytest_asyncio
from fastapi.routing import iter_route_contexts

from aigen.entrypoints.api.app import create_app
from tests.api.world import World
from tests.security.roles import ROLES, Cast

#: The statuses for nobody, key, user, other, admin, removed, demoted, operator, worker; one alone
#: is for everybody, `...` is not asked (it would not end). 404 for `other` and `admin` is what
#: makes somebody else's object look like none; 409 and 422 come after the door.
TABLE = """
    GET    /about                             200
    GET    /healthz                           200
    GET    /readyz                            200
    GET    /openapi.json                      200
    GET    /docs                              200
    GET    /docs/{name}                       404
    POST   /auth/register                     201
    POST   /auth/login                        200
    POST   /auth/refresh                      200
    POST   /auth/logout                       204
    POST   /auth/reset                        403
    GET    /media/{key}                       403
    HEAD   /media/{key}                       403
    POST   /provider/callback/{nonce}         404

    GET    /users/me                          401 403 200 200 200 401 200 401 401
    PUT    /users/me                          401 403 200 200 200 401 200 401 401
    GET    /users/me/usage                    401 403 200 200 200 401 200 401 401
    GET    /keys                              401 403 200 200 200 401 200 401 401
    POST   /keys                              401 403 201 201 201 401 201 401 401
    DELETE /keys/{key_id}                     401 403 204 404 404 401 404 401 401

    GET    /models                            401 200 200 200 200 401 200 401 401
    POST   /generate/quote                    401 200 200 200 200 401 200 401 401
    GET    /generate                          401 200 200 200 200 401 200 401 401
    POST   /generate/delete                   401 200 200 200 200 401 200 401 401
    POST   /generate/archive                  401 200 200 404 404 401 404 401 401
    POST   /generate/text                     401 200 200 200 200 401 200 401 401
    GET    /generate/text                     401 200 200 200 200 401 200 401 401
    GET    /generate/text/{text_id}           401 200 200 404 404 401 404 401 401
    DELETE /generate/text/{text_id}           401 204 204 404 404 401 404 401 401
    POST   /generate/image                    401 200 200 200 200 401 200 401 401
    GET    /generate/image                    401 200 200 200 200 401 200 401 401
    GET    /generate/image/{image_id}         401 200 200 404 404 401 404 401 401
    DELETE /generate/image/{image_id}         401 204 204 404 404 401 404 401 401
    POST   /generate/video                    401 202 202 202 202 401 202 401 401
    POST   /generate/video/from-image         401 202 202 202 202 401 202 401 401
    GET    /generate/video                    401 200 200 200 200 401 200 401 401
    GET    /generate/video/{video_id}         401 200 200 404 404 401 404 401 401
    DELETE /generate/video/{video_id}         401 204 204 404 404 401 404 401 401
    GET    /generate/video/{video_id}/status  401 200 200 404 404 401 404 401 401
    GET    /generate/video/{video_id}/events  401 200 200 404 404 401 404 401 401
    POST   /generate/video/{video_id}/cancel  401 200 200 404 404 401 404 401 401
    POST   /generate/video/{video_id}/retry   401 202 202 404 404 401 404 401 401

    GET    /v1/models                         401 200 200 200 200 401 200 401 401
    GET    /v1/models/{model_id}              401 404 404 404 404 401 404 401 401
    POST   /v1/chat/completions               401 200 200 200 200 401 200 401 401
    POST   /v1/images/generations             401 200 200 200 200 401 200 401 401
    POST   /v1/images/edits                   401 415 415 415 415 401 415 401 401
    POST   /v1/videos                         401 200 200 200 200 401 200 401 401
    GET    /v1/videos                         401 200 200 200 200 401 200 401 401
    GET    /v1/videos/{video_id}              401 200 200 404 404 401 404 401 401
    DELETE /v1/videos/{video_id}              401 200 200 404 404 401 404 401 401
    GET    /v1/videos/{video_id}/content      401 404 404 404 404 401 404 401 401

    GET    /users                             401 403 403 403 200 401 403 200 401
    POST   /users                             401 403 403 403 201 401 403 201 401
    GET    /users/{user_id}                   401 403 403 403 200 401 403 200 401
    DELETE /users/{user_id}                   401 403 403 403 204 401 403 204 401
    PUT    /users/{user_id}/role              401 403 403 403 200 401 403 200 401
    GET    /users/{user_id}/limits            401 403 403 403 200 401 403 200 401
    PUT    /users/{user_id}/limits            401 403 403 403 200 401 403 200 401
    POST   /users/{user_id}/reset-link        401 403 403 403 201 401 403 201 401
    GET    /admin/stats                       401 403 403 403 200 401 403 200 401
    GET    /admin/audit                       401 403 403 403 200 401 403 200 401
    GET    /admin/limits                      401 403 403 403 200 401 403 200 401
    PUT    /admin/limits                      401 403 403 403 200 401 403 200 401
    GET    /admin/usage                       401 403 403 403 200 401 403 200 401
    GET    /admin/retention                   401 403 403 403 200 401 403 200 401
    GET    /admin/videos                      401 403 403 403 200 401 403 200 401
    POST   /admin/videos/{video_id}/resolve   401 403 403 403 409 401 403 409 401
    GET    /metrics                           401 403 403 403 200 401 403 200 401

    POST   /maintenance/backup                401 403 403 403 403 403 403 422 403
    POST   /maintenance/prune                 401 403 403 403 403 403 403 200 403
    POST   /maintenance/check                 401 403 403 403 403 403 403 200 403
    POST   /work/{worker_id}/enlist           401 403 403 403 403 403 403 403 204
    POST   /work/{worker_id}/renew            401 403 403 403 403 403 403 403 422
    POST   /work/{worker_id}/claim            401 403 403 403 403 403 403 403 422
    POST   /work/{worker_id}/recall           401 403 403 403 403 403 403 403 422
    POST   /work/{worker_id}/release          401 403 403 403 403 403 403 403 204
    POST   /work/jobs/{video_id}/{nonce}/record  401 403 403 403 403 403 403 403 422
    POST   /work/jobs/{video_id}/{epoch}/finish  401 403 403 403 403 403 403 403 422
    GET    /work/events                       401 403 403 403 403 403 403 403 ...
    PUT    /work/media/{folder}               401 403 403 403 403 403 403 403 422
    GET    /work/media/{key}                  401 403 403 403 403 403 403 403 404
"""


def expected() -> dict[str, list[str]]:
    """The table: statuses by route, in the order of the roles."""
    found: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, TABLE.splitlines())):
        method, path, *statuses = line.split()
        found[f"{method} {path}"] = statuses * len(ROLES) if len(statuses) == 1 else statuses
    return found


def routes(world: World) -> set[str]:
    """Every route of the application, those that OpenAPI does not show as well."""
    found = set()
    for route in iter_route_contexts(create_app(world.house).routes):
        methods = set(route.methods or ())
        # Starlette adds HEAD to each GET of a plain route, as of the pages of documentation.
        methods -= {"HEAD"} if "GET" in methods else set()
        found |= {f"{method} {_plain(str(route.path))}" for method in methods}
    return found


def _plain(path: str) -> str:
    return re.sub(r":\w+\}", "}", path)


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def cast(world: World) -> Cast:
    return await Cast.of(world)


async def test_every_route_has_its_line_and_every_line_its_route(world: World) -> None:
    assert routes(world) == expected().keys()
    assert {len(statuses) for statuses in expected().values()} == {len(ROLES)}


async def test_every_documented_route_is_among_them(world: World) -> None:
    document = create_app(world.house).openapi()
    documented = {
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    }
    assert documented <= expected().keys()


@pytest.mark.parametrize(("route", "statuses"), expected().items(), ids=str)
async def test_everybody_gets_where_they_belong_and_no_further(
    cast: Cast, route: str, statuses: list[str]
) -> None:
    wanted = {
        role: int(status) for role, status in zip(ROLES, statuses, strict=True) if status.isdigit()
    }
    found = {}
    for role in wanted:
        path, body = await cast.path(route), await cast.body(route)
        answer = await cast.clients[role].ask(route.split(maxsplit=1)[0], path, body)
        found[role] = answer.status_code
    assert found == wanted
