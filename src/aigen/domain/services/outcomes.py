"""What a provider's failure means to whoever asked."""

from datetime import timedelta

from aigen.domain.model.errors import (
    AigenError,
    ProviderBadAnswer,
    ProviderMisconfigured,
    ProviderOutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)
from aigen.ports.provider import BadAnswer, Failure, Misconfigured, NotSent, Refused, Unknown

_RETRY_AFTER = timedelta(seconds=5)


def error_of(failure: Failure) -> AigenError:
    """The error that tells the user; the provider's own reason where it is about the request."""
    match failure:
        case Refused(reason=reason):
            return ProviderRefused(f"The provider refused the request: {reason}")
        case NotSent(retry_after=retry_after):
            return ProviderUnavailable(retry_after=retry_after or _RETRY_AFTER)
        case Misconfigured(reason=reason):
            return ProviderMisconfigured(
                f"The provider does not accept the server's key or credit ({reason}): "
                "tell the administrator."
            )
        case BadAnswer(reason=reason):
            return ProviderBadAnswer(f"The provider answered without a usable result: {reason}")
        case Unknown(reason=reason):
            return ProviderOutcomeUnknown(
                "Nobody can tell whether the provider did this, and it may have been charged "
                f"({reason}); it was not repeated."
            )
