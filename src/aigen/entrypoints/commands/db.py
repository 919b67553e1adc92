"""`aigen db …`."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.http.client import ApiClient
from aigen.entrypoints import maintenance
from aigen.entrypoints.api.schemas.maintenance import ReportOut
from aigen.entrypoints.commands.installation import work_on
from aigen.entrypoints.commands.migrate_to import migrate_to
from aigen.entrypoints.database import database_of, store_of
from aigen.entrypoints.settings import Settings

if TYPE_CHECKING:
    from aigen.entrypoints.library import Aigen

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def db() -> None:
    """Migrate, back up, restore, check and move the database.

    \b
    Example:
      aigen db backup /backups/today --media
    """


db.add_command(migrate_to)


@db.command()
def migrate() -> None:
    """Bring the schema up to date; a start does the same.

    \b
    Example:
      aigen db migrate
    """

    async def migrated() -> list[str]:
        os.umask(0o077)
        settings = Settings()
        store = store_of(settings, database_of(settings))
        applied = await store.open()
        await store.close()
        return [migration.name for migration in applied]

    names = asyncio.run(migrated())
    click.echo("\n".join(f"applied {name}" for name in names) or "nothing to do")


@db.command()
@click.argument("folder", type=_FOLDER)
@click.option("--media", is_flag=True, help="Copy the files as well, also from a bucket.")
def backup(folder: Path, *, media: bool) -> None:
    """Write a backup into a new folder, also while the server is running.

    PostgreSQL has tools of its own for this: pg_dump, or archiving of its log.

    \b
    Example:
      aigen db backup /backups/today --media
    """
    _must_be_embedded("pg_dump -Fc")
    target = folder.resolve()

    async def directly(aigen: "Aigen") -> None:
        if isinstance(aigen.store, DuckdbStore):
            await maintenance.backup(aigen.store, aigen.media if media else None, target)

    def through_api(api: ApiClient) -> None:
        api.ask("POST", "/maintenance/backup", body={"folder": str(target), "media": media})

    work_on(Settings(), through_api=through_api, directly=directly)
    click.echo(f"wrote {target}")


@db.command()
@click.argument("folder", type=_FOLDER)
@click.option("--yes", is_flag=True, help="Really put the backup in the place of what is there.")
def restore(folder: Path, *, yes: bool) -> None:
    """Put a backup in the place of a stopped installation.

    All sessions end; queued jobs are held until an administrator releases them, since they may
    have been submitted after the backup was made. What was there is moved aside, not deleted.

    \b
    Example:
      aigen db restore /backups/today --yes
    """
    if not yes:
        raise click.UsageError("this replaces the present data: confirm with --yes")
    _must_be_embedded("pg_restore, and `aigen db after-restore --yes` before anything starts")
    os.umask(0o077)
    held = asyncio.run(maintenance.restore(Settings(), folder))
    click.echo(f"restored {folder}; all sessions have ended, {held} queued jobs are held")


@db.command("after-restore")
@click.option("--yes", is_flag=True, help="Really end all sessions and hold all queued jobs.")
def after_restore(*, yes: bool) -> None:
    """Make a PostgreSQL database safe that was restored from a backup, before anything starts.

    All sessions end, since the backup may know tokens that were revoked later; queued jobs are
    held until an administrator releases them, since they may have been submitted later.

    \b
    Example:
      pg_restore --dbname=aigen today.dump && aigen db after-restore --yes
    """
    if not yes:
        raise click.UsageError(
            "this ends all sessions and holds all queued jobs: confirm with --yes"
        )
    settings = Settings()
    if settings.postgres_url is None:
        raise click.UsageError("`aigen db restore` does this by itself")
    held = asyncio.run(maintenance.after_restore(store_of(settings, database_of(settings))))
    click.echo(f"all sessions have ended, {held} queued jobs are held")


@db.command()
def check() -> None:
    """Read every row and compare every file with its digest; exit code 1 if anything is wrong.

    \b
    Example:
      aigen db check
    """

    async def directly(aigen: "Aigen") -> ReportOut:
        if not isinstance(aigen.store, maintenance.Examinable):
            raise click.UsageError("this store cannot show what it has")
        report = await maintenance.check(aigen.store, aigen.media)
        return ReportOut(rows=report.rows, files=report.files, problems=list(report.problems))

    found = work_on(
        Settings(),
        through_api=lambda api: ReportOut(**api.ask("POST", "/maintenance/check")),
        directly=directly,
    )
    for table, rows in found.rows.items():
        click.echo(f"{table}: {rows} rows")
    click.echo(f"files: {found.files}")
    for problem in found.problems:
        click.echo(f"problem: {problem}", err=True)
    sys.exit(1 if found.problems else 0)


def _must_be_embedded(instead: str) -> None:
    if Settings().postgres_url is not None:
        raise click.UsageError(f"with PostgreSQL, use {instead}")
