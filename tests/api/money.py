"""Models that have prices, and what the API says of money."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx

from aigen.domain.model.catalogue import Model, Price
from aigen.domain.model.texts import Usage
from aigen.domain.services.costs import Costs
from aigen.ports.provider import CostLookup, TextAnswer, Unreachable
from tests.api.answers import assert_json, assert_problem
from tests.api.world import Client, World


def offered(name: str, output: str, prices: dict[str, str], **facts: Any) -> Model:
    pricing = tuple(Price(per=per, usd=Decimal(usd)) for per, usd in prices.items())
    return Model(id=name, name=name, output=(output,), pricing=pricing, **facts)


WRITER = offered("a/writer", "text", {"prompt_token": "0", "completion_token": "0.001"})
PAINTER = offered("a/painter", "image", {"output_image": "0.04"})
FILMER = offered(
    "a/filmer",
    "video",
    {"per-video-second": "0.05", "per-video-second-1080p": "0.1"},
    durations=(4, 8),
    aspect_ratios=("16:9", "9:16"),
    resolutions=("720p", "1080p"),
)
MYSTERY = offered("a/mystery", "text", {})
OFFERED = (WRITER, PAINTER, FILMER, MYSTERY)

#: By their prices these cost ten cents, four cents and twenty cents; the last, nobody knows what.
TEXT: dict[str, Any] = {"model": WRITER.id, "prompt": "Say hello", "max_tokens": 100}
IMAGE: dict[str, Any] = {"model": PAINTER.id, "prompt": "A fox"}
VIDEO: dict[str, Any] = {
    "model": FILMER.id,
    "prompt": "A fox",
    "duration": 4,
    "resolution": "720p",
}
UNPRICED: dict[str, Any] = {"model": MYSTERY.id, "prompt": "Say hello"}


class Told(CostLookup):
    """What the provider says of generations when it is asked; nothing of any that is not here."""

    def __init__(self) -> None:
        self.costs: dict[str, Decimal | Unreachable] = {}

    async def cost_of(self, generation_id: str) -> Decimal | Unreachable | None:
        return self.costs.get(generation_id)


async def look_up(world: World, told: CostLookup | None = None) -> None:
    """Ask for missing costs, and close what was looked for long enough, as every minute does."""
    await Costs(world.aigen.store, told or Told(), world.clock).settle_open()


def later(world: World, **duration: float) -> None:
    world.clock.set(world.clock.now() + timedelta(**duration))


def answer(cost_usd: str | None, *generation_ids: str) -> TextAnswer:
    """A text, and what the provider says that it has cost."""
    return TextAnswer(
        model=WRITER.id,
        text="Hello.",
        finish_reason="stop",
        usage=Usage(),
        cost_usd=None if cost_usd is None else Decimal(cost_usd),
        generation_ids=generation_ids,
    )


async def usage_of(person: Client) -> Any:
    return assert_json(await person.get("/users/me/usage"))


async def spent_and_reserved(person: Client) -> tuple[float, float]:
    """Of today; while a test stays within a day, the month says the same."""
    found = await usage_of(person)
    today, month = (
        (window["spent_usd"], window["reserved_usd"]) for window in (found["day"], found["month"])
    )
    assert today == month
    return today


async def cap(root: Client, user_id: str, day: float | None, month: float | None = None) -> None:
    said = {"usd_day": day, "usd_month": month}
    assert assert_json(await root.put(f"/users/{user_id}/limits", said)) == said


async def cap_house(
    root: Client, day: float | None, month: float | None = None, **defaults: float
) -> None:
    said = {"usd_day": day, "usd_month": month} | defaults
    assert_json(await root.put("/admin/limits", said))


def assert_over(response: httpx.Response, scope: str, **budget: Any) -> None:
    """Refused, with this budget and no other fact."""
    problem = assert_problem(response, 402, "spend_limit_reached")
    said = {name: problem[name] for name in ("limit_usd", "left_usd", "renews_at")}
    assert (problem["scope"], said) == (scope, budget)
