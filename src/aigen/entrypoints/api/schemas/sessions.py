"""Login, refresh, logout."""

from typing import Literal

from aigen.domain.model.sessions import Tokens
from aigen.entrypoints.api.schemas.values import Answer, Body, Credential, Password, Seconds, Token


class LoginBody(Body):
    email: Credential
    password: Password


class RegisterBody(Body):
    email: Credential
    password: Password


class RefreshTokenBody(Body):
    refresh_token: Token


class ResetBody(Body):
    token: Token
    new_password: Password


class TokensOut(Answer):
    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a scheme
    expires_in: Seconds
    refresh_expires_in: Seconds

    @classmethod
    def of(cls, tokens: Tokens) -> "TokensOut":
        return cls(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expires_in=tokens.expires_in,
            refresh_expires_in=tokens.refresh_expires_in,
        )
