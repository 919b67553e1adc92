"""How the command line gets at an installation: through its API if it runs, else by itself."""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from aigen.adapters.http.client import ApiClient, ApiUnreachable
from aigen.entrypoints.library import Aigen
from aigen.entrypoints.secrets_file import Secrets
from aigen.entrypoints.serving import server_file
from aigen.entrypoints.settings import Settings

T = TypeVar("T")


def work_on(
    settings: Settings,
    *,
    through_api: Callable[[ApiClient], T],
    directly: Callable[[Aigen], Coroutine[Any, Any, T]],
) -> T:
    """Do it through the running server, as the operator; or on the data, if none runs."""
    url = server_url(settings)
    if url is not None:
        try:
            with ApiClient(url, Secrets.of(settings).operator_token) as client:
                return through_api(client)
        except ApiUnreachable:
            pass  # it was killed, and left its address behind
    return asyncio.run(_opened(settings, directly))


async def _opened(settings: Settings, directly: Callable[[Aigen], Coroutine[Any, Any, T]]) -> T:
    os.umask(0o077)
    async with Aigen.open(settings) as aigen:
        return await directly(aigen)


def server_url(settings: Settings) -> str | None:
    """The address that the server of this data dir has left there, if there is one."""
    try:
        return str(json.loads(server_file(settings).read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
