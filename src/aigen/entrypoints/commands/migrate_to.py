"""`aigen db migrate-to`."""

import asyncio
import os
import sys
from typing import Self

import click

from aigen.entrypoints import moving
from aigen.entrypoints.moving import Inventory, Mover
from aigen.entrypoints.settings import Settings, effective, origin_of, variable_of


@click.command("migrate-to")
@click.argument("address", required=False)
@click.option("--media", help="Where files are to lie: s3://bucket/prefix. Else they stay.")
@click.option("--without-lost", is_flag=True, help="Go without files that were lost before.")
@click.option("--cancel", is_flag=True, help="Stay: open this installation again.")
@click.option("--yes", is_flag=True, help="Really return to what was here before the move.")
def migrate_to(
    address: str | None, *, media: str | None, without_lost: bool, cancel: bool, yes: bool
) -> None:
    """Move a stopped installation from DuckDB to PostgreSQL, and its files into a bucket.

    From the first row on it does not start any more, so that no job is bought twice; the new one
    starts when everything has been compared, row by row and file by file. Should that break off,
    run the same command again: it goes on where it was. Nothing is deleted here.

    --cancel opens this installation again. As long as the new one was never open, nothing else
    has happened. Afterwards what is here is a backup of that time: with --yes all sessions end and
    queued jobs are held, since they may have been submitted over there. Stop that one before.

    A password can also stand in PGPASSWORD or ~/.pgpass; buckets are reached by AWS's variables.

    \b
    Example:
      aigen db migrate-to postgresql://aigen@db.example.org/aigen --media s3://bucket/aigen
    """
    here = Settings()
    if here.postgres_url is not None:
        raise click.UsageError("AIGEN_DATABASE_URL is not that of an embedded installation")
    os.umask(0o077)
    if cancel:
        _stay(here, is_sure=yes)
        return
    if address is None:
        raise click.UsageError("say where to move: postgresql://…")
    there = moving.settings_there(here, address, media)
    with _Progress() as progress:
        found = asyncio.run(Mover(here, there, progress.tell).move(without_lost=without_lost))
    _show(found)
    if not all(table.is_same for table in found.tables):
        _fail(
            f"what has arrived at {effective(there)['database_url']} differs, so it stays closed. "
            "Make that database anew and run the command again, or stay with --cancel."
        )
    if found.wrong:
        _fail("these files have changed there: run the command again, which brings them once more.")
    if found.lost and not without_lost:
        _fail(
            f"{len(found.lost)} files are missing or damaged here. Put them back and run the "
            "command again, or go on with --without-lost, or stay with --cancel."
        )
    _show_next_steps(here, there, was_over=not found.tables)


def _stay(here: Settings, *, is_sure: bool) -> None:
    held = asyncio.run(moving.stay(here, as_backup=is_sure))
    if held is None:
        click.echo(
            "this installation is open again and as it was; what was copied is still there, "
            "closed: delete it before you move there again"
        )
    else:
        click.echo(
            f"this installation is open again, as it was before the move; all sessions have "
            f"ended, {held} queued jobs are held"
        )


def _fail(reason: str) -> None:
    click.echo(f"aigen: {reason}", err=True)
    sys.exit(1)


class _Progress:
    """What is being done, on stderr: one line that changes, or where nobody watches, a line for
    what is done."""

    def __init__(self) -> None:
        self._is_watched = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._say("\r\x1b[K" if self._is_watched else "")

    def tell(self, what: str, done: int, total: int | None) -> None:
        of = "" if total is None else f" of {total:,}"
        if self._is_watched:
            self._say(f"\r\x1b[K{what}: {done:,}{of}")
        elif done == total:
            self._say(f"{what}: {done:,}\n")

    def _say(self, text: str) -> None:
        click.echo(text, err=True, nl=False)


def _show(found: Inventory) -> None:
    """What was compared; only what differs has two fingerprints."""
    if found.tables:
        click.echo(f"{'table':<18}{'rows':>12}  fingerprint")
    for table in found.tables:
        click.echo(f"{table.table:<18}{table.here.rows:>12,}  {table.here}")
        if not table.is_same:
            click.echo(f"{'  but there':<18}{table.there.rows:>12,}  {table.there}")
    if found.files:
        click.echo(f"{'files':<18}{found.files:>12,}  each with its own digest")
    for key in found.lost:
        click.echo(f"problem: file {key} is missing or damaged here", err=True)
    for key in found.wrong:
        click.echo(f"problem: file {key} has not arrived as it was", err=True)


def _show_next_steps(here: Settings, there: Settings, *, was_over: bool) -> None:
    shown = effective(there)
    click.echo("\nThis installation has moved already." if was_over else "\nEverything is there.")
    click.echo("Give all processes of the new one these settings, on whatever machine:\n")
    click.echo(f"  AIGEN_DATABASE_URL={shown['database_url']}")
    click.echo(f"  AIGEN_MEDIA_URL={shown['media_url']}")
    for field in ("secret_key", "pepper"):
        file = here.data_dir.resolve() / field.replace("_", "-")
        is_kept = origin_of(field, here) == "generated"
        value = f"<the content of {file}>" if is_kept else "<as here>"
        click.echo(f"  {variable_of(field)}={value}")
    click.echo("\nWithout the last two no password, session or link works. Then start\n")
    click.echo("  aigen api --no-worker\n  aigen worker\n  aigen web\n")
    if there.media_bucket is None:
        click.echo("The folder of files is to be shared by all machines that make or show them.")
    click.echo("This installation does not start any more: see `aigen db migrate-to --help`.")
