"""The form for pictures or films: its fields, the models on offer, what it will cost."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from attrs import frozen

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.backend import backend
from aigen.entrypoints.web.choices import all_choices, by_model
from aigen.entrypoints.web.forms import with_numbers
from aigen.entrypoints.web.pictures import OwnPicture, largest
from aigen.entrypoints.web.quotes import Quote, quote
from aigen.entrypoints.web.signed_in import api

_LATELY = 6


@frozen(kw_only=True)
class MediaForm:
    """`fields` are those of the form that its models let one choose, and `numbers` the fields
    that are whole numbers. Everything here raises as the API does."""

    kind: str
    fields: Mapping[str, str]
    numbers: tuple[str, ...]

    @property
    def priced(self) -> tuple[str, ...]:
        """The fields that make a difference to the price."""
        return tuple(dict.fromkeys(("model", *self.fields, *self.numbers)))

    def item(self, item_id: UUID | str) -> dict[str, Any]:
        """One that the user has made."""
        found: dict[str, Any] = api().ask("GET", f"/generate/{self.kind}/{item_id}")
        return found

    def item_if_any(self, item_id: str) -> dict[str, Any] | None:
        """The same for an id that may be anything."""
        try:
            return self.item(str(UUID(item_id)))
        except ValueError:
            return None
        except ApiRefused as error:
            if error.problem != "not_found":
                raise
            return None

    def quote(self, wanted: Mapping[str, str]) -> Quote:
        given = {name: wanted[name] for name in self.priced if wanted.get(name)}
        return quote(self.kind, with_numbers(given, *self.numbers))

    def shown(
        self, draft: dict[str, str], source: OwnPicture | None, *, with_picture: bool
    ) -> dict[str, Any]:
        """What a template needs to show the form filled in like this: with the models that can
        begin with a picture alone, or with all, of which one is picked here."""
        lately = api().ask("GET", f"/generate/{self.kind}?limit={_LATELY}")["items"]
        offer = backend().catalogue.offer(self.kind, api().ask)
        if with_picture:
            offer = offer.taking_pictures
        draft = draft | {
            "model": offer.preferred(draft.get("model", ""), *(item["model"] for item in lately))
        }
        return {
            "draft": draft,
            "lately": lately,
            "source": source,
            "source_address": source and source.address(),
            "offer": offer,
            "choices": all_choices(offer.items, self.fields),
            "by_model": by_model(offer.items, self.fields),
            "quote": self.quote(draft),
            "largest": largest(),
        }
