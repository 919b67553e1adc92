"""Lists cut into pages, newest first."""

from typing import Generic, TypeVar

from attrs import frozen

T_co = TypeVar("T_co", covariant=True)


@frozen(kw_only=True)
class PageRequest:
    """Up to `limit` items older than `before`."""

    limit: int = 20
    before: str | None = None


@frozen(kw_only=True)
class Page(Generic[T_co]):
    """Items, newest first, and the id to pass as `before` for the next page, if there is one."""

    items: tuple[T_co, ...]
    next_before: str | None = None
