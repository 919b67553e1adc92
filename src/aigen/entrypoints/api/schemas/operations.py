"""How the service is doing."""

from typing import Annotated, Literal

from pydantic import Field

from aigen.entrypoints.api.schemas.values import Answer, Instant, Usd


class HealthOut(Answer):
    status: Literal["ok"] = "ok"


class ReadinessOut(Answer):
    status: Literal["ready", "unready"]
    reasons: list[str]
    workers: int


class AboutOut(Answer):
    """`media_origin` is where the links to files lead, `max_body` a number of bytes. What was
    generated is kept for `retention_days`, and of each user's files the newest
    `retention_bytes_per_user`; null is no limit."""

    version: str
    demo: bool
    registration: Literal["open", "closed"]
    media_origin: str
    max_body: int
    retention_days: int | None
    retention_bytes_per_user: int | None


class FieldErrorOut(Answer):
    """`loc` is the path to what is wrong; what was sent is never repeated."""

    loc: list[str | int]
    msg: str


class BudgetOut(Answer):
    """What a spending limit leaves. `scope` says whose it is; the amounts are null for the
    installation's."""

    scope: str
    limit_usd: Usd | None
    left_usd: Usd | None
    renews_at: Instant | None


class ProblemOut(Answer):
    """RFC 9457. `code` is stable, `detail` one sentence that a user can act on."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: Annotated[list[FieldErrorOut] | None, Field(exclude_if=lambda found: found is None)] = (
        None
    )


class OverBudgetOut(ProblemOut, BudgetOut):
    """`spend_limit_reached`: the problem, and what the limit leaves."""
