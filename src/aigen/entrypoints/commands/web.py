"""`aigen web`."""

import sys
from functools import partial

import click

from aigen.entrypoints import logs, processes
from aigen.entrypoints.frontend import serve_web
from aigen.entrypoints.settings import Settings


@click.command()
def web() -> None:
    """Start the web frontend alone, against the API at AIGEN_API_URL.

    It shows AIGEN_WEB_TOKEN, or the token in the data dir if it shares that with the API, so that
    the API believes it from which address somebody logs in.

    \b
    Example:
      AIGEN_API_URL=https://api.example.org AIGEN_WEB_URL=https://aigen.example.org aigen web
    """
    settings = Settings()
    logs.configure(settings)
    sys.exit(processes.run(partial(serve_web, settings)))
