"""Who asks: a user by access token, an administrator, the operator, a worker."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from attrs import frozen
from fastapi import Depends, Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from fastapi.security.utils import get_authorization_scheme_param

from aigen.domain.model import users
from aigen.domain.model.errors import Forbidden, NotLoggedIn
from aigen.domain.model.keys import is_key
from aigen.domain.model.sessions import Caller
from aigen.entrypoints.api.house import House, house_of, the_house


@frozen(kw_only=True)
class Actor:
    """Who administers; `id` is None for the operator, who has the data dir in his hands."""

    id: str | None
    address: str | None


@frozen(kw_only=True)
class Payer:
    """Who generates: a user, by a login or by a personal key, which then pays."""

    user: users.User
    key_id: str | None = None


class Bearer(SecurityBase):
    """Asks for a token, and for `who` shows it. One dependency and not three, as the framework's
    own would make: that is a tenth of what a text costs."""

    model = HTTPBearer(description="the access token of a login", bearerFormat="JWT")
    scheme_name = "HTTPBearer"

    def __init__(self, who: Callable[[Request, str], Awaitable[Any]]) -> None:
        self._who = who

    async def __call__(self, request: Request) -> Any:
        scheme, token = get_authorization_scheme_param(request.headers.get("Authorization"))
        if scheme.lower() != "bearer" or not token:
            raise NotLoggedIn
        return await self._who(request, token)


async def _user(request: Request, token: str) -> Caller:
    return await house_of(request).aigen.sessions.authenticate(_of_login(token))


async def _payer(request: Request, token: str) -> Payer:
    aigen = house_of(request).aigen
    if is_key(token):
        user, key = await aigen.keys.authenticate(token)
        return Payer(user=user, key_id=key.id)
    return Payer(user=(await aigen.sessions.authenticate(token)).user)


async def _admin(request: Request, token: str) -> Actor:
    house = house_of(request)
    address = house.addresses.of(request)
    if _equal(_of_login(token), house.aigen.secrets.operator_token):
        return Actor(id=None, address=address)
    caller = await house.aigen.sessions.authenticate(token)
    if not caller.user.is_admin:
        raise Forbidden
    return Actor(id=caller.user.id, address=address)


async def _operator(request: Request, token: str) -> None:
    if not _equal(token, house_of(request).aigen.secrets.operator_token):
        raise Forbidden("Only the operator's command line may do this.")


async def _worker(request: Request, token: str) -> None:
    if not _equal(token, house_of(request).aigen.secrets.worker_token):
        raise Forbidden("Only a worker with AIGEN_WORKER_TOKEN may do this.")


async def client_address(request: Request) -> str | None:
    return house_of(request).addresses.of(request)


def _of_login(token: str) -> str:
    if is_key(token):
        raise Forbidden("A personal key is for generating only: log in for this.")
    return token


def _equal(token: str, secret: str) -> bool:
    return hmac.compare_digest(token.encode(errors="replace"), secret.encode())


TheHouse = Annotated[House, Depends(the_house)]
Address = Annotated[str | None, Depends(client_address)]
User = Annotated[Caller, Security(Bearer(_user))]
WhoPays = Annotated[Payer, Security(Bearer(_payer))]
Admin = Annotated[Actor, Security(Bearer(_admin))]

#: For routes that need not know who it is.
ADMIN_ONLY = Security(Bearer(_admin))
OPERATOR_ONLY = Security(Bearer(_operator))
WORKER_ONLY = Security(Bearer(_worker))
