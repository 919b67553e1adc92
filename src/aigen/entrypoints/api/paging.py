"""`?limit=`, `?cursor=` and the list that they cut; what else narrows a list of one's own."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Depends, Query
from pydantic import AfterValidator, BeforeValidator

from aigen.domain.model.pages import Page, PageRequest
from aigen.entrypoints.api.auth import WhoPays
from aigen.entrypoints.api.schemas.values import Listed, Storable
from aigen.ports.store import HistoryQuery

T = TypeVar("T")
Out = TypeVar("Out")

_CURSOR = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _ours(cursor: str) -> str:
    if not _CURSOR.fullmatch(cursor):
        raise ValueError("send one that this API has given")
    return cursor


Cursor = Annotated[
    Annotated[str, AfterValidator(_ours)] | None,
    Query(description="`next_cursor` of the page before"),
]


async def _page(
    limit: Annotated[int, Query(ge=1, le=100)] = 20, cursor: Cursor = None
) -> PageRequest:
    return PageRequest(limit=limit, before=cursor)


Paging = Annotated[PageRequest, Depends(_page)]
Search = Annotated[Storable | None, Query(max_length=1000, description="looked for in the text")]


def _instant(text: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(text))
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("send a day or an instant, as in 2026-03-15T12:00:00Z") from None


Moment = Annotated[datetime, BeforeValidator(_instant)]


async def _history(
    caller: WhoPays,
    paging: Paging,
    q: Search = None,
    model: Annotated[Storable | None, Query(max_length=200)] = None,
    since: Annotated[
        Moment | None, Query(description="made then or later; a day begins at midnight UTC")
    ] = None,
    until: Annotated[Moment | None, Query(description="made before that")] = None,
) -> HistoryQuery:
    return HistoryQuery(
        user_id=caller.user.id, page=paging, text=q or None, model=model, since=since, until=until
    )


#: What the caller wants to see of their own.
History = Annotated[HistoryQuery, Depends(_history)]


def listed(page: Page[T], out: Callable[[T], Out]) -> Listed[Out]:
    return Listed(items=[out(item) for item in page.items], next_cursor=page.next_before)
