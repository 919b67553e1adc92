"""People who may use the service, and what makes one an administrator."""

from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen


class Role(StrEnum):
    USER = "user"
    ADMIN = "admin"


@frozen(kw_only=True)
class EmailAddress:
    """An address as its owner typed it, and the identity that makes two spellings one."""

    typed: str
    identity: str


@frozen(kw_only=True)
class User:
    """An account. `identity` is unique among users; `password_hash` carries its scheme."""

    id: str
    email: str
    identity: str
    password_hash: str
    role: Role
    created_at: datetime
    last_login_at: datetime | None = None

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    def with_email(self, email: EmailAddress) -> "User":
        return evolve(self, email=email.typed, identity=email.identity)

    def with_password(self, password_hash: str) -> "User":
        return evolve(self, password_hash=password_hash)

    def with_role(self, role: Role) -> "User":
        return evolve(self, role=role)

    def logged_in(self, at: datetime) -> "User":
        return evolve(self, last_login_at=at)


@frozen(kw_only=True)
class ResetLink:
    """The right to set a user's password once. Only the secret's digest is kept."""

    digest: str
    user_id: str
    expires_at: datetime
