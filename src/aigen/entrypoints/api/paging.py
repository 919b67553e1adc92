"""`?limit=`, `?cursor=` and the list that they cut."""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Query
from pydantic import AfterValidator

from aigen.domain.model.pages import Page, PageRequest
from aigen.entrypoints.api.schemas.values import Listed, Storable

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
ModelFilter = Annotated[Storable | None, Query(max_length=200)]


def listed(page: Page[T], out: Callable[[T], Out]) -> Listed[Out]:
    return Listed(items=[out(item) for item in page.items], next_cursor=page.next_before)
