"""What things cost: quotes, caps, usage."""

import csv
import io
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from aigen.domain.model.ledger import Grouping
from aigen.domain.model.video_requests import VideoRequest
from aigen.entrypoints.api.auth import Admin, TheHouse, User, WhoPays
from aigen.entrypoints.api.schemas.money import (
    Day,
    HouseLimitsBody,
    HouseLimitsOut,
    LimitsBody,
    LimitsOut,
    QuoteBody,
    QuoteOut,
    ReportOut,
    SpentByOut,
    UsageOut,
)

router = APIRouter(tags=["money"])

_CSV = "text/csv"
_PARQUET = "application/vnd.apache.parquet"


@router.post("/generate/quote")
async def quote(body: QuoteBody, payer: WhoPays, house: TheHouse) -> QuoteOut:
    """What a generation will cost, and whether a limit is in its way, before it is asked for."""
    money, wanted = house.aigen.money, body.request()
    if isinstance(wanted, VideoRequest):
        await money.check_offered(wanted)
    return QuoteOut.of(await money.quote(payer.user.id, wanted, key_id=payer.key_id))


@router.get("/users/me/usage")
async def usage(caller: User, house: TheHouse) -> UsageOut:
    """One's own spending and limits."""
    return UsageOut.of(await house.aigen.money.usage(caller.user.id))


@router.get("/users/{user_id}/limits")
async def limits(user_id: str, _: Admin, house: TheHouse) -> LimitsOut:
    return LimitsOut.of(await house.aigen.money.limits(user_id))


@router.put("/users/{user_id}/limits")
async def set_limits(user_id: str, body: LimitsBody, admin: Admin, house: TheHouse) -> LimitsOut:
    """Cap what a user may spend, from the very next request on."""
    changed = await house.aigen.money.set_limits(
        body.limits(user_id), actor_id=admin.id, address=admin.address
    )
    return LimitsOut.of(changed)


@router.get("/admin/limits")
async def house_limits(_: Admin, house: TheHouse) -> HouseLimitsOut:
    return HouseLimitsOut.of_house(await house.aigen.money.house_limits())


@router.put("/admin/limits")
async def set_house_limits(body: HouseLimitsBody, admin: Admin, house: TheHouse) -> HouseLimitsOut:
    """Cap what all may spend together, and say what new users begin with."""
    changed = await house.aigen.money.set_house_limits(
        body.house_limits(), actor_id=admin.id, address=admin.address
    )
    return HouseLimitsOut.of_house(changed)


@router.get(
    "/admin/usage",
    response_model=ReportOut,
    responses={
        200: {
            "content": {
                _CSV: {"schema": {"type": "string"}},
                _PARQUET: {"schema": {"type": "string", "format": "binary"}},
            }
        }
    },
)
async def report(
    _: Admin,
    house: TheHouse,
    request: Request,
    group: Grouping = Grouping.USER,
    start: Annotated[Day | None, Query(alias="from", description="from this UTC day on")] = None,
    end: Annotated[Day | None, Query(alias="to", description="before this UTC day")] = None,
) -> ReportOut | Response:
    """What was spent by whom, on what, or when; as a file with `Accept: text/csv` or
    `application/vnd.apache.parquet`."""
    spent = await house.aigen.money.report(group, start, end)
    items = [SpentByOut.of(line) for line in spent]
    wanted = request.headers.get("accept", "")
    if _PARQUET in wanted:
        # Loaded here: in an installation on another database nobody else needs it.
        from aigen.adapters.duckdb.parquet import parquet  # noqa: PLC0415

        return _file(parquet(spent), _PARQUET, f"usage-by-{group}.parquet")
    if _CSV in wanted:
        return _file(_as_csv(items), _CSV, f"usage-by-{group}.csv")
    return ReportOut(items=items)


def _as_csv(items: Sequence[SpentByOut]) -> bytes:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["key", "label", "count", "cost_usd"])
    for item in items:
        names = _plain(item.key), _plain(item.label or "")
        lines.writerow([*names, item.count, f"{item.cost_usd:f}"])
    return text.getvalue().encode()


def _plain(text: str) -> str:
    """A spreadsheet must not take it for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
