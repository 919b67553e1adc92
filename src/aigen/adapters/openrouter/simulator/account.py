"""GET /key, /credits and /generation: who pays, how much is left, what something cost."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aigen.adapters.openrouter.simulator.errors import USER_ID, ApiError, invalid
from aigen.adapters.openrouter.simulator.ledger import generation_body, usd
from aigen.adapters.openrouter.simulator.state import State

_ENDLESS_CREDITS_USD = 1_000.0
_FREE_REQUESTS = 1_000
_LONGEST_HIDDEN = 15  # an excerpt of a shorter key would give it away


class Account:
    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/key", self.key),
            Route("/api/v1/credits", self.credits),
            Route("/api/v1/generation", self.generation),
        ]

    async def key(self, request: Request) -> Response:
        return JSONResponse({"data": self._key_data(self._state.authorise(request))})

    async def credits(self, request: Request) -> Response:
        self._state.authorise(request)
        options = self._state.options
        if not options.management_key:
            raise ApiError(403, "Only management keys can fetch credits")
        spent = usd(self._state.ledger.spent)
        total = options.credits_usd
        bought = spent + _ENDLESS_CREDITS_USD if total is None else float(total)
        return JSONResponse({"data": {"total_credits": bought, "total_usage": spent}})

    async def generation(self, request: Request) -> Response:
        self._state.authorise(request)
        generation_id = request.query_params.get("id")
        if not generation_id:
            raise invalid("id is required", "id")
        misses = self._state.options.generation_misses
        found = self._state.ledger.look_up(generation_id, misses)
        if found is None:
            raise ApiError(404, f"Generation {generation_id} not found")
        return JSONResponse({"data": generation_body(found)})

    def _key_data(self, key: str) -> dict[str, Any]:
        options, spent = self._state.options, usd(self._state.ledger.spent)
        limit = None if options.key_limit_usd is None else float(options.key_limit_usd)
        spending = ("usage", "usage_daily", "usage_weekly", "usage_monthly")
        byok = ("byok_usage", "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly")
        return {
            "label": f"{key[:12]}...{key[-3:]}" if len(key) > _LONGEST_HIDDEN else "simulated key",
            "limit": limit,
            "limit_remaining": None if limit is None else max(limit - spent, 0.0),
            "limit_reset": None,
            "include_byok_in_limit": False,
            **dict.fromkeys(spending, spent),
            **dict.fromkeys(byok, 0.0),
            "is_free_tier": False,
            "is_management_key": options.management_key,
            "is_provisioning_key": options.management_key,
            "expires_at": None,
            "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated."},
            "budgets": [],
            "effective_budget": None,
            "free_model_daily_requests": {
                "limit": _FREE_REQUESTS,
                "used": 0,
                "remaining": _FREE_REQUESTS,
            },
            "allowed_data_regions": ["global"],
            "creator_user_id": USER_ID,
            "organization_id": None,
            "workspace_id": None,
        }
