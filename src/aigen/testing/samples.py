"""Values that pass for real ones, with the fields that a test does not care about filled in."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from aigen.domain.model.audit import Action, AuditEntry
from aigen.domain.model.idempotency import RememberedRequest
from aigen.domain.model.images import Image, ImageStatus
from aigen.domain.model.keys import ApiKey
from aigen.domain.model.ledger import Charge, Kind, Limits, Tally
from aigen.domain.model.media import MediaType, StoredMedia
from aigen.domain.model.sessions import RefreshToken, Session
from aigen.domain.model.texts import Text, Usage
from aigen.domain.model.users import Role, User
from aigen.domain.model.videos import VideoJob
from aigen.ports.store import Records, Store

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)

_numbers = count(1)


async def stored(store: Store, *values: Any) -> None:
    """Put all these values where they belong, in one change."""

    def put(records: Records) -> None:
        homes: dict[type, Any] = {
            User: records.users,
            Session: records.sessions,
            RefreshToken: records.refresh_tokens,
            Text: records.texts,
            Image: records.images,
            VideoJob: records.videos,
            RememberedRequest: records.remembered,
            Charge: records.charges,
            Tally: records.tallies,
            Limits: records.limits,
            ApiKey: records.keys,
        }
        for value in values:
            homes[type(value)].put(value)

    await store.write(put)


def new_id() -> str:
    """An id of the right form, greater than those made before it."""
    return str(UUID(int=(7 << 76) | (2 << 62) | next(_numbers)))


def a_user(**fields: Any) -> User:
    user_id = fields.pop("id", new_id())
    email = fields.pop("email", f"user-{user_id}@example.org")
    defaults: dict[str, Any] = {"identity": email.lower(), "password_hash": "x", "role": Role.USER}
    return User(**defaults | {"id": user_id, "email": email, "created_at": NOW} | fields)


def a_session(user: User, **fields: Any) -> Session:
    defaults: dict[str, Any] = {
        "id": new_id(),
        "current_jti": new_id(),
        "created_at": NOW,
        "ends_at": LATER,
    }
    return Session(**defaults | {"user_id": user.id} | fields)


def a_refresh_token(session: Session, **fields: Any) -> RefreshToken:
    defaults: dict[str, Any] = {"jti": session.current_jti, "issued_at": NOW, "expires_at": LATER}
    owners: dict[str, Any] = {"session_id": session.id, "user_id": session.user_id}
    return RefreshToken(**defaults | owners | fields)


def a_text(user: User, **fields: Any) -> Text:
    defaults: dict[str, Any] = {
        "id": new_id(),
        "model": "openai/gpt-4o-mini",
        "prompt": "Say hello",
        "text": "Hello.",
        "finish_reason": "stop",
        "usage": Usage(prompt_tokens=2, completion_tokens=1, total_tokens=3),
        "cost_usd": Decimal("0.00000555"),
        "created_at": NOW,
    }
    return Text(**defaults | {"user_id": user.id} | fields)


def a_file(**fields: Any) -> StoredMedia:
    defaults: dict[str, Any] = {
        "key": f"{new_id()}/picture.png",
        "media_type": MediaType.PNG,
        "size": 68,
        "sha256": "0" * 64,
        "width": 1,
        "height": 1,
    }
    return StoredMedia(**defaults | fields)


def an_image(user: User, **fields: Any) -> Image:
    defaults: dict[str, Any] = {
        "id": new_id(),
        "model": "black-forest-labs/flux.2-pro",
        "prompt": "A fox",
        "status": ImageStatus.COMPLETED,
        "created_at": NOW,
        "pictures": (a_file(), a_file()),
    }
    return Image(**defaults | {"user_id": user.id} | fields)


def a_job(user: User, **fields: Any) -> VideoJob:
    defaults: dict[str, Any] = {
        "id": new_id(),
        "model": "google/veo-3.1-lite",
        "prompt": "A fox in the snow",
        "created_at": NOW,
        "updated_at": NOW,
        "not_before": NOW,
        "deadline_at": LATER,
    }
    return VideoJob(**defaults | {"user_id": user.id} | fields)


def a_remembered_request(user: User, **fields: Any) -> RememberedRequest:
    defaults: dict[str, Any] = {
        "key": "a-key",
        "fingerprint": "f",
        "object_id": new_id(),
        "created_at": NOW,
        "gives_up_at": LATER,
    }
    return RememberedRequest(**defaults | {"user_id": user.id} | fields)


def a_charge(user: User, **fields: Any) -> Charge:
    defaults: dict[str, Any] = {
        "id": new_id(),
        "kind": Kind.TEXT,
        "model": "openai/gpt-4o-mini",
        "created_at": NOW,
    }
    return Charge(**defaults | {"user_id": user.id} | fields)


def a_key(user: User, **fields: Any) -> ApiKey:
    key_id = fields.pop("id", new_id())
    defaults: dict[str, Any] = {
        "name": "a script",
        "prefix": "aigen_abcdef",
        "digest": f"digest-of-{key_id}",
        "created_at": NOW,
    }
    return ApiKey(**defaults | {"id": key_id, "user_id": user.id} | fields)


def an_audit_entry(**fields: Any) -> AuditEntry:
    defaults: dict[str, Any] = {
        "id": new_id(),
        "at": NOW,
        "action": Action.LOGIN,
        "details": {"how": "well"},
    }
    return AuditEntry(**defaults | fields)
