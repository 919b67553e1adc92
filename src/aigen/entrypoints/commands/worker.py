"""`aigen worker`; beside `aigen api`, since it needs no web framework's worth of memory."""

import sys
from functools import partial

import click

from aigen.entrypoints import logs, processes
from aigen.entrypoints.settings import Settings
from aigen.entrypoints.worker import serve_worker


@click.command()
def worker() -> None:
    """Start a worker: on PostgreSQL if AIGEN_DATABASE_URL says so, else through the API.

    To the API at AIGEN_API_URL it shows AIGEN_WORKER_TOKEN, or the token in the data dir if it
    shares that with the API.

    \b
    Example:
      AIGEN_DATABASE_URL=postgresql://… OPENROUTER_API_KEY=… aigen worker
      AIGEN_API_URL=https://api.example.org AIGEN_WORKER_TOKEN=… OPENROUTER_API_KEY=… aigen worker
    """
    settings = Settings()
    logs.configure(settings)
    sys.exit(processes.run(partial(serve_worker, settings)))
