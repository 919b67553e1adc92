"""Personal keys."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from aigen.domain.model.keys import LONGEST_NAME, ApiKey
from aigen.domain.services.keys import NewKey
from aigen.entrypoints.api.schemas.values import Answer, Body, Instant, Storable, Usd, usd


class KeyBody(Body):
    """`usd_month` caps what the key may spend in a UTC month."""

    name: Annotated[Storable, Field(min_length=1, max_length=LONGEST_NAME)]
    expires_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    usd_month: Annotated[float, Field(ge=0, le=1_000_000)] | None = None

    @property
    def cap(self) -> Decimal | None:
        return None if self.usd_month is None else usd(self.usd_month)


class KeyOut(Answer):
    """A key without its text, of which only the beginning is kept."""

    id: str
    name: str
    prefix: str
    created_at: Instant
    expires_at: Instant | None
    usd_month: Usd | None
    last_used_at: Instant | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOut":
        return cls(**_facts(key))


class NewKeyOut(KeyOut):
    """`key` is shown this once."""

    key: str

    @classmethod
    def of_new(cls, made: NewKey) -> "NewKeyOut":
        return cls(key=made.text, **_facts(made.key))


class KeysOut(Answer):
    items: list[KeyOut]
    next_cursor: None = None


def _facts(key: ApiKey) -> dict[str, Any]:
    names = ("id", "name", "prefix", "created_at", "expires_at", "usd_month", "last_used_at")
    return {name: getattr(key, name) for name in names}
