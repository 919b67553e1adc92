"""`aigen history …`."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import click
from attrs import asdict
from pydantic import TypeAdapter, ValidationError

from aigen.adapters.http.client import ApiClient
from aigen.domain.model.retention import Pruned, RetentionPolicy
from aigen.entrypoints.api.schemas.administration import PrunedOut, RetentionOut
from aigen.entrypoints.commands.installation import work_on
from aigen.entrypoints.kinds import Bytes
from aigen.entrypoints.settings import Settings

if TYPE_CHECKING:
    from aigen.entrypoints.library import Aigen

_COUNTED = ("texts", "images", "videos", "files", "bytes")


class _Size(click.ParamType[int]):
    """A number of bytes as settings have it, as in `5 GiB`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return TypeAdapter(Bytes).validate_python(value)
        except ValidationError as error:
            self.fail(error.errors()[0]["msg"].removeprefix("Value error, "), param, ctx)


@click.group()
def history() -> None:
    """Look after what people have had made.

    \b
    Example:
      aigen history prune --dry-run
    """


@history.command()
@click.option(
    "--older-than",
    metavar="DAYS",
    type=click.IntRange(1, 36_500),
    help="What ended so many days ago goes.",
)
@click.option(
    "--bytes-per-user",
    metavar="SIZE",
    type=_Size(),
    help="Of each user's files the newest that fit stay, as in `5 GiB`, and all of a day's.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Really remove it.")
@click.option("--json", "as_json", is_flag=True, help="Print it as the API does.")
def prune(
    older_than: int | None, bytes_per_user: int | None, *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Remove texts, images and videos that have been kept long enough, with their files.

    By AIGEN_RETENTION_DAYS and AIGEN_RETENTION_BYTES_PER_USER, as a running server does every
    hour; with one of the first two options, by those alone. Costs stay, and so does what is being
    made or waits to be settled.

    \b
    Example:
      aigen history prune --older-than 90 --dry-run
    """
    if dry_run is yes:
        raise click.UsageError("say --dry-run to see what would go, or --yes to remove it")
    settings = Settings()
    asked = RetentionPolicy(days=older_than, bytes_per_user=bytes_per_user)
    policy = asked if asked.is_on else _policy_of(settings)
    if not policy.is_on:
        raise click.UsageError("everything is kept for ever: say --older-than or --bytes-per-user")
    if dry_run:
        found = _preview(settings, policy)
        click.echo(found.model_dump_json(indent=2) if as_json else _as_table(found))
    else:
        pruned = asdict(_prune(settings, policy))
        click.echo(json.dumps(pruned) if as_json else f"removed {_in_words(pruned)}")


def _policy_of(settings: Settings) -> RetentionPolicy:
    return RetentionPolicy(
        days=settings.retention_days or None,
        bytes_per_user=settings.retention_bytes_per_user or None,
    )


def _preview(settings: Settings, policy: RetentionPolicy) -> RetentionOut:
    async def directly(aigen: "Aigen") -> RetentionOut:
        return RetentionOut.of(policy, await aigen.retention.preview(policy))

    query = urlencode({name: value for name, value in asdict(policy).items() if value is not None})
    return work_on(
        settings,
        through_api=lambda api: RetentionOut(**api.ask("GET", f"/admin/retention?{query}")),
        directly=directly,
    )


def _prune(settings: Settings, policy: RetentionPolicy) -> Pruned:
    async def directly(aigen: "Aigen") -> Pruned:
        return await aigen.retention.prune(policy)

    def through_api(api: ApiClient) -> Pruned:
        total = Pruned()
        while some := Pruned(**api.ask("POST", "/maintenance/prune", body=asdict(policy))):
            total += some
        return total

    return work_on(settings, through_api=through_api, directly=directly)


def _as_table(found: RetentionOut) -> str:
    """A line for each user, and one for all."""
    lines = [(user.email or user.user_id, user) for user in found.items]
    rows: list[tuple[str, PrunedOut]] = [*lines, ("all together", found.total)]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {_in_words(dict(counts))}" for name, counts in rows)


def _in_words(counts: dict[str, Any]) -> str:
    nouns = ((counts[name], name) for name in _COUNTED)
    return ", ".join(f"{n:,} {name.removesuffix('s') if n == 1 else name}" for n, name in nouns)
