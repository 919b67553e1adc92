"""Money: quotes, caps, and what was spent."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from aigen.domain.model.ledger import HOUSE, NEWCOMERS, Kind, Limits, SpentBy, SpentOn
from aigen.domain.model.video_requests import VideoRequest
from aigen.domain.services.money import Allowance, HouseLimits, Quote, Usage
from aigen.entrypoints.api.schemas.images import ImageBody
from aigen.entrypoints.api.schemas.texts import TextBody
from aigen.entrypoints.api.schemas.values import Answer, Body, Instant, Storable, Usd, usd
from aigen.entrypoints.api.schemas.videos import VideoBody


class TextQuoteBody(TextBody):
    kind: Literal["text"]


class ImageQuoteBody(ImageBody):
    kind: Literal["image"]


class VideoQuoteBody(VideoBody):
    """Pictures to begin and end with may be named, and make no difference."""

    kind: Literal["video"]
    image_url: Storable | None = None
    last_image_url: Storable | None = None

    def request(self) -> VideoRequest:
        return VideoRequest(**self.model_dump(exclude={"kind"}))


QuoteBody = Annotated[TextQuoteBody | ImageQuoteBody | VideoQuoteBody, Field(discriminator="kind")]


class QuoteOut(Answer):
    """US dollars, rather too much than too little; null if the prices do not tell. `objection` is
    there if it would be refused now for a limit, and says why."""

    estimate_usd: Usd | None
    objection: Annotated[str | None, Field(exclude_if=lambda said: said is None)] = None

    @classmethod
    def of(cls, quote: Quote) -> "QuoteOut":
        said = None if quote.objection is None else str(quote.objection)
        return cls(estimate_usd=quote.estimate_usd, objection=said)


class AllowanceOut(Answer):
    spent_usd: Usd
    reserved_usd: Usd
    limit_usd: Usd | None
    renews_at: Instant

    @classmethod
    def of(cls, allowance: Allowance) -> "AllowanceOut":
        return cls(
            spent_usd=allowance.spent_usd,
            reserved_usd=allowance.reserved_usd,
            limit_usd=allowance.limit_usd,
            renews_at=allowance.renews_at,
        )


class SpentOnOut(Answer):
    kind: Kind
    model: str
    count: int
    cost_usd: Usd

    @classmethod
    def of(cls, spent: SpentOn) -> "SpentOnOut":
        return cls(kind=spent.kind, model=spent.model, count=spent.count, cost_usd=spent.cost_usd)


class UsageOut(Answer):
    """Spending of the UTC day and month; `by_model` is the month's."""

    day: AllowanceOut
    month: AllowanceOut
    by_model: list[SpentOnOut]

    @classmethod
    def of(cls, usage: Usage) -> "UsageOut":
        return cls(
            day=AllowanceOut.of(usage.day),
            month=AllowanceOut.of(usage.month),
            by_model=[SpentOnOut.of(spent) for spent in usage.by_model],
        )


# Money is a number in JSON; a whole number is one as well.
_Amount = Annotated[float, Field(ge=0, le=1_000_000)]


def _decimal(amount: float | None) -> Decimal | None:
    return None if amount is None else usd(amount)


class LimitsBody(Body):
    """US dollars that may be spent in a UTC day and month; null for no limit."""

    usd_day: _Amount | None
    usd_month: _Amount | None

    def limits(self, owner: str) -> Limits:
        return Limits(
            owner=owner, usd_day=_decimal(self.usd_day), usd_month=_decimal(self.usd_month)
        )


class LimitsOut(Answer):
    usd_day: Usd | None
    usd_month: Usd | None

    @classmethod
    def of(cls, limits: Limits) -> "LimitsOut":
        return cls(usd_day=limits.usd_day, usd_month=limits.usd_month)


class HouseLimitsBody(LimitsBody):
    """The same for everybody together; the defaults are what new users begin with."""

    default_usd_day: _Amount | None = None
    default_usd_month: _Amount | None = None

    def house_limits(self) -> HouseLimits:
        return HouseLimits(
            house=self.limits(HOUSE),
            newcomers=Limits(
                owner=NEWCOMERS,
                usd_day=_decimal(self.default_usd_day),
                usd_month=_decimal(self.default_usd_month),
            ),
        )


class HouseLimitsOut(LimitsOut):
    default_usd_day: Usd | None
    default_usd_month: Usd | None

    @classmethod
    def of_house(cls, limits: HouseLimits) -> "HouseLimitsOut":
        return cls(
            usd_day=limits.house.usd_day,
            usd_month=limits.house.usd_month,
            default_usd_day=limits.newcomers.usd_day,
            default_usd_month=limits.newcomers.usd_month,
        )


class SpentByOut(Answer):
    """`key` is a user's id, a model or a day; `label` how people call it, null for a user who
    is gone."""

    key: str
    label: str | None
    count: int
    cost_usd: Usd

    @classmethod
    def of(cls, spent: SpentBy) -> "SpentByOut":
        return cls(key=spent.key, label=spent.label, count=spent.count, cost_usd=spent.cost_usd)


class ReportOut(Answer):
    items: list[SpentByOut]


Day = Annotated[date, Field(description="a UTC day, as in 2026-11-22")]
