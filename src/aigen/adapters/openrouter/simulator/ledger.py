"""What was generated and what it cost: GET /generation, /key and /credits look here."""

import secrets
import string
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen

from aigen.adapters.openrouter.simulator.errors import ApiError
from aigen.adapters.openrouter.simulator.options import SimulatorOptions

_ALPHANUMERICS = string.ascii_letters + string.digits
_MOST_REMEMBERED = 20_000


def random_name(length: int = 20) -> str:
    """Random even between runs: clients keep ids in databases that outlive the simulator."""
    return "".join(secrets.choice(_ALPHANUMERICS) for _ in range(length))


@frozen(kw_only=True)
class Generation:
    """One piece of accepted work."""

    id: str
    api_type: str
    model: str
    provider: str
    cost: Decimal
    created_at: float
    prompt_tokens: int = 0
    completion_tokens: int = 0
    pictures: int = 0
    streamed: bool = False
    finish_reason: str | None = "stop"
    is_settled: bool = True
    """Videos are settled when they end; until then nobody can look them up."""
    times_asked: int = 0


class Ledger:
    """Generations by id, and the sum of their costs."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._generations: OrderedDict[str, Generation] = OrderedDict()
        self.spent = Decimal(0)
        self._spent_before = Decimal(0)

    @property
    def spent_since_start(self) -> Decimal:
        """What the summary shows; the account's own sum never starts anew."""
        return self.spent - self._spent_before

    def start_anew(self) -> None:
        self._spent_before = self.spent

    def new_id(self) -> str:
        return f"gen-{int(self._clock())}-{random_name()}"

    def check(self, cost: Decimal, options: SimulatorOptions) -> None:
        """Refuse with 402 what the account or the key can't pay."""
        total = self.spent + cost
        if options.credits_usd is not None and total > Decimal(str(options.credits_usd)):
            raise ApiError(
                402, "Insufficient credits. Add more using https://openrouter.ai/credits"
            )
        if options.key_limit_usd is not None and total > Decimal(str(options.key_limit_usd)):
            raise ApiError(402, "Key limit exceeded. Manage it using https://openrouter.ai/keys")

    def charge(self, generation: Generation) -> None:
        self._generations[generation.id] = generation
        self.spent += generation.cost
        while len(self._generations) > _MOST_REMEMBERED:
            self._generations.popitem(last=False)

    def settle(self, generation_id: str, *, refund: bool) -> None:
        """A video has ended; a failed one costs nothing after all."""
        found = self._generations.get(generation_id)
        if found is None or found.is_settled:
            return
        if refund:
            self.spent -= found.cost
            found = evolve(found, cost=Decimal(0), finish_reason="error")
        self._generations[generation_id] = evolve(found, is_settled=True)

    def look_up(self, generation_id: str, misses: int) -> Generation | None:
        """The generation, unless it was asked for too soon: the real one is late, too."""
        found = self._generations.get(generation_id)
        if found is None or not found.is_settled:
            return None
        self._generations[generation_id] = evolve(found, times_asked=found.times_asked + 1)
        return found if found.times_asked >= misses else None


def usd(cost: Decimal) -> float:
    return float(round(cost, 10))


def generation_body(generation: Generation) -> dict[str, Any]:
    """`data` of GET /generation: the SDK insists on every field."""
    cost = usd(generation.cost)
    unknown = (
        "app_id cache_discount data_region external_user http_referer moderation_latency "
        "native_tokens_cached num_fetches num_input_audio_prompt num_media_prompt "
        "num_search_results preset_id provider_responses request_id router service_tier "
        "session_id user_agent web_search_engine workspace_id"
    )
    created = datetime.fromtimestamp(generation.created_at, UTC)
    return dict.fromkeys(unknown.split()) | {
        "data_region": "global",
        "origin": "",
        "id": generation.id,
        "api_type": generation.api_type,
        "model": generation.model,
        "provider_name": generation.provider,
        "upstream_id": f"simulated-{generation.id[-8:]}",
        "created_at": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "total_cost": cost,
        "usage": cost,
        "upstream_inference_cost": cost,
        "is_byok": False,
        "streamed": generation.streamed,
        "cancelled": False,
        "finish_reason": generation.finish_reason,
        "native_finish_reason": generation.finish_reason,
        "tokens_prompt": generation.prompt_tokens,
        "tokens_completion": generation.completion_tokens,
        "native_tokens_prompt": generation.prompt_tokens,
        "native_tokens_completion": generation.completion_tokens,
        "native_tokens_reasoning": 0,
        "native_tokens_completion_images": generation.pictures,
        "num_media_completion": generation.pictures,
        "latency": 250,
        "generation_time": 900,
    }
