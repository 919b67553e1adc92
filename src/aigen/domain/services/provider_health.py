"""Whether the provider takes our key, as the latest calls have shown."""

from aigen.domain.model.errors import AigenError
from aigen.domain.services.outcomes import error_of
from aigen.ports.provider import Failure, Misconfigured, ModelCatalogue


class ProviderHealth:
    """In trouble from the first refusal of our key or credit until a call succeeds, or the
    provider says that it takes the key: then the next call shows whether there is credit again."""

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
        """Ask the provider about our key. Nobody else might: who is not ready is sent no calls."""
        refused = await self._catalogue.check_key()
        self.trouble = None if refused is None else refused.reason
