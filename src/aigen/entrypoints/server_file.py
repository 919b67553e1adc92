"""Where a running server leaves its address for the command line."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aigen.entrypoints.settings import Settings


@contextmanager
def announced(settings: Settings) -> Iterator[None]:
    """While it lasts, a file in the data dir says where this installation is served."""
    file = _file(settings)
    said = {"pid": os.getpid(), "url": settings.api_base}
    file.write_text(json.dumps(said) + "\n", encoding="utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def server_url(settings: Settings) -> str | None:
    """The address that the server of this data dir has left there, if there is one. It may have
    been killed since."""
    try:
        return str(json.loads(_file(settings).read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _file(settings: Settings) -> Path:
    return settings.data_dir / "server.json"
