"""Personal keys, for programs."""

from fastapi import APIRouter, status

from aigen.entrypoints.api.auth import Address, TheHouse, User
from aigen.entrypoints.api.schemas.keys import KeyBody, KeyOut, KeysOut, NewKeyOut

router = APIRouter(prefix="/keys", tags=["keys"])


@router.post("", status_code=status.HTTP_201_CREATED)
async def make_key(body: KeyBody, caller: User, house: TheHouse, address: Address) -> NewKeyOut:
    """A key that stands wherever something is generated or looked at in place of a token. It is
    shown this once."""
    made = await house.aigen.keys.make(
        caller.user.id,
        body.name,
        expires_at=body.expires_at,
        usd_month=body.cap,
        address=address,
    )
    return NewKeyOut.of_new(made)


@router.get("")
async def keys(caller: User, house: TheHouse) -> KeysOut:
    """One's own keys, newest first; all of them."""
    found = await house.aigen.keys.list(caller.user.id)
    return KeysOut(items=[KeyOut.of(key) for key in found])


@router.delete("/{key_id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_key(key_id: str, caller: User, house: TheHouse, address: Address) -> None:
    """Refused from the very next request on."""
    await house.aigen.keys.revoke(caller.user.id, key_id, address=address)
