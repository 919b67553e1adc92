"""Logs: one line for each event, for people or for machines, on stderr."""

import logging
import sys
from typing import Any

import structlog

from aigen.entrypoints.settings import Settings


def configure(settings: Settings) -> None:
    """Send our own events and those of the libraries through one chain."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    is_json = settings.log_format == "json"
    last: Any = (
        structlog.processors.JSONRenderer()
        if is_json
        # The pretty tracebacks show local variables, and with them prompts and passwords.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    tracebacks: list[Any] = [structlog.processors.format_exc_info] if is_json else []
    structlog.configure(
        processors=[*shared, *tracebacks, last],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelName(settings.log_level.upper())
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *tracebacks,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    # These log whole addresses, in which there may be prompts and signatures.
    for name in ("httpx", "httpcore", "aiohttp", "uvicorn.access", "waitress"):
        logging.getLogger(name).setLevel(logging.WARNING)
