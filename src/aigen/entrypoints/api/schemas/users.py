"""Accounts, as their owners and administrators see them."""

from typing import Literal

from aigen.domain.model.statistics import UserOverview
from aigen.domain.model.users import User
from aigen.entrypoints.api.schemas.values import Answer, Body, Credential, Instant, Password

RoleName = Literal["user", "admin"]


class UserOut(Answer):
    id: str
    email: str
    role: RoleName
    created_at: Instant

    @classmethod
    def of(cls, user: User) -> "UserOut":
        return cls(id=user.id, email=user.email, role=user.role.value, created_at=user.created_at)


class UserOverviewOut(UserOut):
    last_login_at: Instant | None
    video_jobs: int

    @classmethod
    def of_overview(cls, overview: UserOverview) -> "UserOverviewOut":
        user = overview.user
        return cls(
            id=user.id,
            email=user.email,
            role=user.role.value,
            created_at=user.created_at,
            last_login_at=user.last_login_at,
            video_jobs=overview.video_jobs,
        )


class ChangeSelfBody(Body):
    current_password: Password
    email: Credential | None = None
    new_password: Password | None = None


class AddUserBody(Body):
    email: Credential
    password: Password
    role: RoleName = "user"


class RoleBody(Body):
    role: RoleName


class ResetLinkOut(Answer):
    """`url` is the frontend's page that sets a new password, once, until `expires_at`."""

    url: str
    expires_at: Instant
