"""`aigen up`, `aigen api`."""

import secrets
import sys
from functools import partial

import click

from aigen.entrypoints import logs, processes
from aigen.entrypoints.library import Aigen
from aigen.entrypoints.processes import Stop
from aigen.entrypoints.serving import serve_api
from aigen.entrypoints.settings import Settings


@click.command()
def up() -> None:
    """Start everything on this machine in one process.

    On the very first start it makes an administrator and prints the password, once. Without
    OPENROUTER_API_KEY a simulator stands in for the provider.

    \b
    Example:
      OPENROUTER_API_KEY=sk-or-… aigen up
    """
    settings = Settings()
    logs.configure(settings)
    sys.exit(processes.run(partial(_serve_everything, settings)))


@click.command()
@click.option("--no-worker", is_flag=True, help="Leave the work to standalone workers.")
def api(*, no_worker: bool) -> None:
    """Start the HTTP API; with DuckDB this process owns the database.

    \b
    Example:
      AIGEN_API_PORT=9000 aigen api
    """
    settings = Settings()
    logs.configure(settings)
    # Nothing encrypts here. PyJWT would load ten megabytes to be able to, and signs without.
    sys.modules.setdefault("cryptography", None)  # type: ignore[arg-type]
    sys.exit(processes.run(partial(serve_api, settings, with_worker=not no_worker)))


async def _serve_everything(settings: Settings, stop: Stop) -> None:
    # Imported here: `aigen api` needs no web framework's worth of memory for pages.
    from aigen.entrypoints.frontend import frontend, listen_for_web  # noqa: PLC0415

    listening, settings = listen_for_web(settings)
    await serve_api(
        settings,
        stop,
        with_worker=True,
        greet=_welcome,
        beside=partial(frontend, listening=listening),
    )


async def _welcome(aigen: Aigen) -> str:
    """Where everything is, and on the very first start how to get in."""
    settings = aigen.settings
    lines = [
        f"aigen is running:  web {settings.web_base}",
        f"                   API {settings.api_base}",
    ]
    if settings.docs:
        lines.append(f"                   API documentation {settings.api_base}/docs")
    if settings.is_demo:
        stand_in = settings.openrouter_url if settings.has_own_provider else "a simulator"
        lines.append(
            f"Demo mode: {stand_in} stands in for the provider; set OPENROUTER_API_KEY for real."
        )
    email = settings.admin_email or "admin@localhost"
    password = secrets.token_urlsafe(15)
    if await aigen.users.add_first_admin(email, password):
        lines.append(f"First login (shown only now):  {email}  {password}")
    return "\n".join(lines) + "\n"
