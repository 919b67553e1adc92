"""`aigen settings`."""

import json
from typing import Any

import click
from pydantic import SecretStr

from aigen.entrypoints.settings import (
    GENERATED,
    Settings,
    effective,
    origin_of,
    variable_of,
)

_MASK = "********"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of {name, value, origin, meaning}.")
def settings(*, as_json: bool) -> None:
    """Print every setting with its value, where that comes from, and what it means.

    \b
    Example:
      aigen settings --json
    """
    rows = explained(Settings())
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        click.echo(f"{row['name']:<{width}}  {_shown(row['value'])}  ({row['origin']})")
        click.echo(f"{'':<{width}}    {row['meaning']}")


def explained(found: Settings) -> list[dict[str, Any]]:
    """Every setting with the value that counts; secrets masked."""
    plain = found.model_dump(mode="json") | effective(found)
    return [
        {
            "name": variable_of(name),
            "value": _masked(name, getattr(found, name), plain[name]),
            "origin": origin_of(name, found),
            "meaning": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]


def _masked(name: str, value: object, plain: object) -> object:
    return _MASK if isinstance(value, SecretStr) or name in GENERATED else plain


def _shown(value: object) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return "-" if value is None or value == "" else str(value)
