"""The append-only record of what happened to accounts, sessions and money."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen


class Action(StrEnum):
    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGOUT = "logout"
    REFRESH_REUSED = "refresh_reused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "password_reset"  # noqa: S105
    EMAIL_CHANGED = "email_changed"
    USER_ADDED = "user_added"
    USER_REMOVED = "user_removed"
    ROLE_CHANGED = "role_changed"
    RESET_LINK_MADE = "reset_link_made"
    KEY_MADE = "key_made"
    KEY_REVOKED = "key_revoked"
    LIMITS_CHANGED = "limits_changed"
    SUBMISSION_RESOLVED = "submission_resolved"
    RESTORED = "restored"
    HISTORY_PRUNED = "history_pruned"


@frozen(kw_only=True)
class AuditEntry:
    """One event. `actor_id` is None for the operator and for somebody unknown."""

    id: str
    at: datetime
    action: Action
    actor_id: str | None = None
    target_id: str | None = None
    address: str | None = None
    details: Mapping[str, str] = field(factory=dict)
