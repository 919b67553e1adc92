"""What the routes share: the open installation, and what only a server knows."""

from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import define
from fastapi import Request

from aigen.domain.services.worker import Worker
from aigen.entrypoints.api.address import ClientAddresses
from aigen.entrypoints.library import Aigen

if TYPE_CHECKING:
    from aigen.entrypoints.api.metrics import Metrics

#: A worker comes round at every sweep; so much later it must have, or it hangs.
_WORKER_MARGIN = timedelta(seconds=30)


@define(eq=False)
class House:
    """`worker` is the one inside this process, if there is one. `metrics` are there if they are
    switched on. `is_draining` once the process has been told to stop."""

    aigen: Aigen
    addresses: ClientAddresses
    metrics: "Metrics | None" = None
    worker: Worker | None = None
    is_draining: bool = False

    @classmethod
    def of(cls, aigen: Aigen) -> "House":
        settings = aigen.settings
        addresses = ClientAddresses(settings.trusted_proxies, aigen.secrets.web_token)
        return cls(
            aigen=aigen, addresses=addresses, metrics=_metrics() if settings.metrics else None
        )

    def is_worker_alive(self) -> bool:
        """Whether the worker inside has come round lately."""
        seen_at = self.worker.last_seen_at if self.worker else None
        patience = self.aigen.settings.worker_interval + _WORKER_MARGIN
        return seen_at is not None and self.aigen.clock.now() - seen_at < patience


def _metrics() -> "Metrics":
    # Two megabytes that most installations need not load.
    from aigen.entrypoints.api.metrics import Metrics  # noqa: PLC0415

    return Metrics()


async def the_house(request: Request) -> House:
    """For routes; FastAPI would run one that is not async in a thread."""
    return house_of(request)


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house
