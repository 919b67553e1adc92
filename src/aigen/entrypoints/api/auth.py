"""Who asks: a user by access token, an administrator, the operator, a worker."""

import hmac
from typing import Annotated

from attrs import frozen
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from aigen.domain.model import users
from aigen.domain.model.errors import Forbidden, NotLoggedIn
from aigen.domain.model.keys import is_key
from aigen.domain.model.sessions import Caller
from aigen.entrypoints.api.house import House, house_of, the_house

_bearer = HTTPBearer(
    auto_error=False, description="the access token of a login", bearerFormat="JWT"
)
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


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


async def current_user(request: Request, credentials: _Credentials) -> Caller:
    return await house_of(request).aigen.sessions.authenticate(_token_of_login(credentials))


async def current_payer(request: Request, credentials: _Credentials) -> Payer:
    aigen, token = house_of(request).aigen, _token(credentials)
    if is_key(token):
        user, key = await aigen.keys.authenticate(token)
        return Payer(user=user, key_id=key.id)
    return Payer(user=(await aigen.sessions.authenticate(token)).user)


async def current_admin(request: Request, credentials: _Credentials) -> Actor:
    house = house_of(request)
    token = _token_of_login(credentials)
    address = house.addresses.of(request)
    if _equal(token, house.aigen.secrets.operator_token):
        return Actor(id=None, address=address)
    caller = await house.aigen.sessions.authenticate(token)
    if not caller.user.is_admin:
        raise Forbidden
    return Actor(id=caller.user.id, address=address)


async def operator_only(request: Request, credentials: _Credentials) -> None:
    if not _equal(_token(credentials), house_of(request).aigen.secrets.operator_token):
        raise Forbidden("Only the operator's command line may do this.")


async def worker_only(request: Request, credentials: _Credentials) -> None:
    if not _equal(_token(credentials), house_of(request).aigen.secrets.worker_token):
        raise Forbidden("Only a worker with AIGEN_WORKER_TOKEN may do this.")


async def client_address(request: Request) -> str | None:
    return house_of(request).addresses.of(request)


def _token(credentials: HTTPAuthorizationCredentials | None) -> str:
    if credentials is None:
        raise NotLoggedIn
    return credentials.credentials


def _token_of_login(credentials: HTTPAuthorizationCredentials | None) -> str:
    token = _token(credentials)
    if is_key(token):
        raise Forbidden("A personal key is for generating only: log in for this.")
    return token


def _equal(token: str, secret: str) -> bool:
    return hmac.compare_digest(token.encode(errors="replace"), secret.encode())


TheHouse = Annotated[House, Depends(the_house)]
User = Annotated[Caller, Depends(current_user)]
WhoPays = Annotated[Payer, Depends(current_payer)]
Admin = Annotated[Actor, Depends(current_admin)]
Address = Annotated[str | None, Depends(client_address)]
