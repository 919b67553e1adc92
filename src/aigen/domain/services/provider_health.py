"""Whether the provider takes our key, as the latest calls have shown."""

from aigen.domain.model.errors import AigenError
from aigen.domain.services.outcomes import error_of
from aigen.ports.provider import Failure, Misconfigured, ModelCatalogue


class ProviderHealth:
    """Opens at the first refusal of our key or credit, closes at the first call that succeeds."""

    def __init__(self, catalogue: ModelCatalogue) -> None:
        self._catalogue = catalogue
        self.trouble: str | None = None

    def is_well(self) -> None:
        self.trouble = None

    def note(self, failure: Failure) -> AigenError:
        """Learn from a failed call; the error for whoever made it."""
        if isinstance(failure, Misconfigured):
            self.trouble = failure.reason
        return error_of(failure)

    async def examine(self) -> None:
        """Ask the provider about our key; what only a paid call can show is left as it is."""
        refused = await self._catalogue.check_key()
        if refused is not None:
            self.trouble = refused.reason
