"""Backup, check and pruning of a running installation, for the operator's command line."""

from pathlib import Path

from fastapi import APIRouter

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.domain.model.errors import NotFound
from aigen.entrypoints import maintenance
from aigen.entrypoints.api.auth import OPERATOR_ONLY, TheHouse
from aigen.entrypoints.api.schemas.administration import PrunedOut
from aigen.entrypoints.api.schemas.maintenance import BackupBody, PruneBody, ReportOut

router = APIRouter(prefix="/maintenance", include_in_schema=False, dependencies=[OPERATOR_ONLY])

#: So that an answer takes no longer than anybody waits for it.
_MOST_AT_ONCE = 2000


@router.post("/backup", status_code=204)
async def backup(body: BackupBody, house: TheHouse) -> None:
    """Write a backup into a folder of the server's machine."""
    aigen = house.aigen
    if not isinstance(aigen.store, DuckdbStore):
        raise NotFound
    folder = Path(body.folder)
    await maintenance.backup(aigen.store, aigen.media if body.media else None, folder)


@router.post("/prune")
async def prune(body: PruneBody, house: TheHouse) -> PrunedOut:
    """Remove some of what has been kept long enough: to be asked for until nothing goes."""
    return PrunedOut.of(await house.aigen.retention.prune(body.policy(), most=_MOST_AT_ONCE))


@router.post("/check")
async def check(house: TheHouse) -> ReportOut:
    """Read everything and compare it with its digests."""
    aigen = house.aigen
    if not isinstance(aigen.store, DuckdbStore):
        raise NotFound
    report = await maintenance.check(aigen.store, aigen.media)
    return ReportOut(rows=report.rows, files=report.files, problems=list(report.problems))
