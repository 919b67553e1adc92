"""Backup and check of a running installation, for the operator's command line."""

from pathlib import Path

from fastapi import APIRouter, Depends

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.domain.model.errors import NotFound
from aigen.entrypoints import maintenance
from aigen.entrypoints.api.auth import TheHouse, operator_only
from aigen.entrypoints.api.schemas.maintenance import BackupBody, ReportOut

router = APIRouter(
    prefix="/maintenance", include_in_schema=False, dependencies=[Depends(operator_only)]
)


@router.post("/backup", status_code=204)
async def backup(body: BackupBody, house: TheHouse) -> None:
    """Write a backup into a folder of the server's machine."""
    aigen = house.aigen
    if not isinstance(aigen.store, DuckdbStore):
        raise NotFound
    folder = Path(body.folder)
    await maintenance.backup(aigen.store, aigen.media if body.media else None, folder)


@router.post("/check")
async def check(house: TheHouse) -> ReportOut:
    """Read everything and compare it with its digests."""
    aigen = house.aigen
    if not isinstance(aigen.store, DuckdbStore):
        raise NotFound
    report = await maintenance.check(aigen.store, aigen.media)
    return ReportOut(rows=report.rows, files=report.files, problems=list(report.problems))
