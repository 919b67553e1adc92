"""An embedded installation with something in every table, made without a process of its own."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import asdict, evolve

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.media.disk import DiskMedia
from aigen.adapters.memory.provider import PNG
from aigen.adapters.sql.tables import TABLES
from aigen.domain.model.images import Image
from aigen.domain.model.ledger import ChargeState, Limits
from aigen.domain.model.media import PICTURES as PICTURE_TYPES
from aigen.domain.model.media import MediaRemoval, StoredMedia, folder_of
from aigen.domain.model.throttle import FailedLogins
from aigen.domain.model.users import ResetLink, User
from aigen.domain.model.videos import ProviderJob, VideoState
from aigen.entrypoints.settings import Settings
from aigen.ports.media import Accept
from aigen.ports.store import Records, WorkerLease
from aigen.testing.samples import (
    LATER,
    NOW,
    a_charge,
    a_job,
    a_key,
    a_refresh_token,
    a_remembered_request,
    a_session,
    a_text,
    a_user,
    an_audit_entry,
    an_image,
    new_id,
    stored,
)
from tests.postgres.installations import store_on

#: What other databases, their drivers and their formats of exchange like to trip over.
STRANGE = "\\N \\. \t\r\n \"quoted\" 'so' , ; % $1 {} \U0001f98a \u0000 \u2028 \x7f ü \ufffd"

PICTURES = 3

_PICTURE = Accept(types=PICTURE_TYPES, size=2**20)


def settings_of(folder: Path, **others: Any) -> Settings:
    return Settings(data_dir=folder, bcrypt_cost=4, **others)


async def furnish(folder: Path) -> dict[str, list[Any]]:
    """Make the installation in the folder; all its values, by table."""
    settings = settings_of(folder)
    store = DuckdbStore(settings.database_file)
    await store.open()
    try:
        users = [a_user(), a_user(email="ünï@example.org")]
        for user in users:
            await _live_in(store, user, settings)
        return await values_in(store)
    finally:
        await store.close()


async def values_in(store: Any) -> dict[str, list[Any]]:
    """All that a store has, by table and in one order."""
    found: dict[str, list[Any]] = {}
    for name, table in TABLES.items():
        values: list[Any] = []
        await store.examine(table, values.append)
        found[name] = sorted(values, key=repr)
    return found


async def new_values_at(url: str) -> dict[str, list[Any]]:
    """The same of the database of a new house."""
    async with store_on(url) as store:
        return await values_in(store)


def storable(value: Any) -> Any:
    """The value without NUL, as the store on PostgreSQL always writes it."""
    texts = {
        name: text.replace("\0", "\ufffd")
        for name, text in asdict(value, recurse=False).items()
        if isinstance(text, str)
    }
    return evolve(value, **texts)


def files_in(folder: Path) -> dict[str, bytes]:
    found = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


async def _live_in(store: DuckdbStore, user: User, settings: Settings) -> None:
    session = a_session(user)
    image = an_image(user, prompt=STRANGE, pictures=(), cost_usd=Decimal("0.0000000001"))
    media = DiskMedia(settings.media_dir, 0)
    media.open()
    pictures = tuple([await _picture(media, image, str(n)) for n in range(PICTURES)])
    done = a_job(user, state=VideoState.COMPLETED, media=pictures[0], cost_usd=Decimal("1.5"))
    key = a_key(user, name=STRANGE, usd_month=Decimal(20))
    await stored(
        store,
        user,
        session,
        a_refresh_token(session, rotation_key="of a browser"),
        a_refresh_token(session, jti=new_id(), revoked_at=NOW),
        a_text(user, text=STRANGE, prompt=""),
        a_text(user, cost_usd=None, finish_reason=None),
        evolve(image, pictures=pictures),
        a_job(user, prompt=STRANGE),
        a_job(user, state=VideoState.PROCESSING, provider_job_id=f"of {user.id}"),
        done,
        a_remembered_request(user),
        a_charge(user, id=done.id, state=ChargeState.SETTLED, cost_usd=Decimal("1.5")),
        a_charge(user, reserved_usd=Decimal("0.3"), key_id=key.id, generation_ids=("a", "b")),
        Limits(owner=user.id, usd_day=Decimal(5), usd_month=None),
        key,
    )
    await store.write(_others(user))


def _others(user: User) -> Callable[[Records], None]:
    def change(records: Records) -> None:
        records.limits.put(Limits(owner="house", usd_day=None, usd_month=Decimal(100)))
        records.reset_links.put(
            ResetLink(digest=f"digest of {user.id}", user_id=user.id, expires_at=LATER)
        )
        records.failures.put(FailedLogins(subject=user.identity, count=3, since=NOW))
        records.provider_jobs.put(
            ProviderJob(provider_job_id=f"of {user.id}", video_id=new_id(), user_id=user.id)
        )
        records.workers.put(
            WorkerLease(worker_id=new_id(), expires_at=NOW + timedelta(seconds=1), is_inside=True)
        )
        records.removals.put(MediaRemoval(prefix=f"{user.id}/gone/"))
        records.audit.append(an_audit_entry(actor_id=user.id, details={"how": STRANGE}))

    return change


async def _picture(media: DiskMedia, image: Image, name: str) -> StoredMedia:
    async def pieces() -> Any:
        yield PNG

    return await media.put(folder_of(image.user_id, image.id), name, pieces(), _PICTURE)
