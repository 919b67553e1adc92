"""Login, refresh, logout, registration, and a new password by reset link."""

from fastapi import APIRouter, status

from aigen.entrypoints.api.auth import Address, TheHouse
from aigen.entrypoints.api.idempotency import KeyHeader
from aigen.entrypoints.api.schemas.sessions import (
    LoginBody,
    RefreshTokenBody,
    RegisterBody,
    ResetBody,
    TokensOut,
)
from aigen.entrypoints.api.schemas.users import UserOut

router = APIRouter(prefix="/auth", tags=["sessions"])


@router.post("/register", status_code=status.HTTP_201_CREATED)
async def register(body: RegisterBody, house: TheHouse, address: Address) -> UserOut:
    """A plain user registers, where registration is open."""
    user = await house.aigen.users.register(body.email, body.password, address=address)
    return UserOut.of(user)


@router.post("/login")
async def login(body: LoginBody, house: TheHouse, address: Address) -> TokensOut:
    """Begin a session."""
    tokens = await house.aigen.sessions.login(body.email, body.password, address=address)
    return TokensOut.of(tokens)


@router.post("/refresh")
async def refresh(
    body: RefreshTokenBody, house: TheHouse, address: Address, key: KeyHeader = None
) -> TokensOut:
    """Trade a refresh token for new tokens; with the same Idempotency-Key the same client may
    ask again for a moment."""
    tokens = await house.aigen.sessions.refresh(body.refresh_token, key=key, address=address)
    return TokensOut.of(tokens)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
async def logout(body: RefreshTokenBody, house: TheHouse, address: Address) -> None:
    """End the session, its access tokens too."""
    await house.aigen.sessions.logout(body.refresh_token, address=address)


@router.post("/reset", status_code=status.HTTP_204_NO_CONTENT)
async def reset(body: ResetBody, house: TheHouse, address: Address) -> None:
    """Set a new password with the token of a reset link; ends all the user's sessions."""
    await house.aigen.users.reset_password(body.token, body.new_password, address=address)
