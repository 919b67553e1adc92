"""What tests in other processes ask the simulator itself: journal, summary, switches."""

import attrs
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aigen.adapters.openrouter.simulator.errors import invalid
from aigen.adapters.openrouter.simulator.fields import Fields
from aigen.adapters.openrouter.simulator.ledger import usd
from aigen.adapters.openrouter.simulator.state import State

PREFIX = "/simulator"


class Controls:
    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        return [
            Route(PREFIX + "/journal", self.journal, methods=["GET"]),
            Route(PREFIX + "/journal", self.clear, methods=["DELETE"]),
            Route(PREFIX + "/summary", self.summary),
            Route(PREFIX + "/options", self.options, methods=["GET"]),
            Route(PREFIX + "/options", self.change, methods=["PUT"]),
        ]

    async def journal(self, _: Request) -> Response:
        return JSONResponse({"entries": self._state.journal.entries()})

    async def clear(self, _: Request) -> Response:
        self._state.journal.clear()
        self._state.ledger.start_anew()
        return Response(status_code=204)

    async def summary(self, _: Request) -> Response:
        counts = self._state.journal.summary()
        spent = usd(self._state.ledger.spent_since_start)
        return JSONResponse(counts | {"total_cost_usd": spent, "jobs": self._state.jobs.counts()})

    async def options(self, _: Request) -> Response:
        return JSONResponse(attrs.asdict(self._state.options))

    async def change(self, request: Request) -> Response:
        """Turn the named switches; the others stay as they are."""
        changes = await Fields.of(request)
        try:
            self._state.options = self._state.options.changed(dict(changes.values))
        except ValueError as error:
            raise invalid(str(error)) from error
        return await self.options(request)
