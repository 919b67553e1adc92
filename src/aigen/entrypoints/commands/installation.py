"""How the command line gets at an installation: through its API if it runs, else by itself."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from aigen.adapters.http.client import ApiClient, ApiUnreachable
from aigen.entrypoints.secrets_file import Secrets
from aigen.entrypoints.server_file import server_url
from aigen.entrypoints.settings import Settings

if TYPE_CHECKING:
    from aigen.entrypoints.library import Aigen

T = TypeVar("T")


def work_on(
    settings: Settings,
    *,
    through_api: Callable[[ApiClient], T],
    directly: "Callable[[Aigen], Coroutine[Any, Any, T]]",
) -> T:
    """Do it through the running server, as the operator; or on the data, if none runs or others
    may work on it as well."""
    url = server_url(settings) if settings.postgres_url is None else None
    if url is not None:
        try:
            with ApiClient(url, Secrets.of(settings).operator_token) as client:
                return through_api(client)
        except ApiUnreachable:
            pass  # it was killed, and left its address behind
    return asyncio.run(_opened(settings, directly))


async def _opened(settings: Settings, directly: "Callable[[Aigen], Coroutine[Any, Any, T]]") -> T:
    # Half a second that nobody needs who only asks a server.
    from aigen.entrypoints.library import Aigen  # noqa: PLC0415

    os.umask(0o077)
    # A command does what it says: what has been kept long enough is for servers to remove.
    quiet = settings.model_copy(update={"retention_days": 0, "retention_bytes_per_user": 0})
    async with Aigen.open(quiet) as aigen:
        return await directly(aigen)
