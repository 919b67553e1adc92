"""`aigen simulator`."""

import sys
from functools import partial
from typing import Any

import click

from aigen.adapters.openrouter.simulator import (
    KEYWORDS_HELP,
    SimulatorOptions,
    serve_simulator,
)
from aigen.entrypoints import processes


class _WithKeywords(click.Command):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write("\n" + KEYWORDS_HELP)


@click.command(cls=_WithKeywords)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=9100, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--video-seconds", type=float, help="Videos take so long; by default they take two polls."
)
@click.option("--image-seconds", type=float, default=0.0, help="Images take so long.")
@click.option("--webhook-secret", help="Signs the webhooks that requests ask for.")
@click.option(
    "--legacy-images", is_flag=True, help="Answer /images/generations as OpenAI did, not 404."
)
def simulator(host: str, port: int, **switches: Any) -> None:
    """Start OpenRouter's contract from the other side, under /api/v1; nothing costs anything.

    Words in a prompt make it misbehave. GET /simulator/journal shows what it was asked, PUT
    /simulator/options changes its switches while it runs.

    \b
    Example:
      aigen simulator --port 9100
      AIGEN_OPENROUTER_URL=http://127.0.0.1:9100/api/v1 OPENROUTER_API_KEY=any aigen up
    """
    options = SimulatorOptions(**switches)
    sys.exit(processes.run(partial(_serve, options, host, port)))


async def _serve(options: SimulatorOptions, host: str, port: int, stop: processes.Stop) -> None:
    try:
        async with serve_simulator(options, host, port) as running:
            click.echo(f"simulator: {running.url}")
            sys.stdout.flush()
            await stop.wait()
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from error
