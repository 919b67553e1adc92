"""One's own account, and everybody's for administrators."""

from fastapi import APIRouter, status

from aigen.domain.model.users import Role
from aigen.entrypoints.api.auth import Address, Admin, TheHouse, User
from aigen.entrypoints.api.paging import Paging, Search, listed
from aigen.entrypoints.api.schemas.users import (
    AddUserBody,
    ChangeSelfBody,
    ResetLinkOut,
    RoleBody,
    UserOut,
    UserOverviewOut,
)
from aigen.entrypoints.api.schemas.values import Listed

router = APIRouter(prefix="/users", tags=["users"])


@router.get("/me")
async def me(caller: User) -> UserOut:
    return UserOut.of(caller.user)


@router.put("/me")
async def change_me(
    body: ChangeSelfBody, caller: User, house: TheHouse, address: Address
) -> UserOut:
    """Change one's own e-mail or password; a new password ends the other sessions."""
    user = await house.aigen.users.change_self(
        caller,
        body.current_password,
        email=body.email,
        new_password=body.new_password,
        address=address,
    )
    return UserOut.of(user)


@router.get("")
async def users(
    _: Admin, house: TheHouse, paging: Paging, q: Search = None
) -> Listed[UserOverviewOut]:
    """All users; `q` is looked for in the e-mail."""
    return listed(await house.aigen.users.list(q, paging), UserOverviewOut.of_overview)


@router.get("/{user_id}")
async def user(user_id: str, _: Admin, house: TheHouse) -> UserOut:
    """One of them, as other answers name users by their ids."""
    return UserOut.of(await house.aigen.users.get(user_id))


@router.post("", status_code=status.HTTP_201_CREATED)
async def add_user(body: AddUserBody, admin: Admin, house: TheHouse) -> UserOut:
    user = await house.aigen.users.add(
        body.email, body.password, Role(body.role), actor_id=admin.id, address=admin.address
    )
    return UserOut.of(user)


@router.put("/{user_id}/role")
async def set_role(user_id: str, body: RoleBody, admin: Admin, house: TheHouse) -> UserOut:
    """Promote or demote; effective on the user's next request."""
    user = await house.aigen.users.set_role(
        user_id, Role(body.role), actor_id=admin.id, address=admin.address
    )
    return UserOut.of(user)


@router.delete("/{user_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_user(user_id: str, admin: Admin, house: TheHouse) -> None:
    """Remove a user with sessions, generations and files."""
    await house.aigen.users.remove(user_id, actor_id=admin.id, address=admin.address)


@router.post("/{user_id}/reset-link", status_code=status.HTTP_201_CREATED)
async def reset_link(user_id: str, admin: Admin, house: TheHouse) -> ResetLinkOut:
    """A link that sets a new password once, within the hour."""
    made = await house.aigen.users.make_reset_link(
        user_id, actor_id=admin.id, address=admin.address
    )
    url = f"{house.aigen.settings.web_base}/reset/{made.secret}"
    return ResetLinkOut(url=url, expires_at=made.expires_at)
