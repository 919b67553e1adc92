"""Everything that aigen refuses or fails at.

AigenError
├── Unauthenticated   NotLoggedIn, InvalidCredentials, TokenInvalid, TokenExpired, TokenRevoked,
│                     CallbackSignatureInvalid
├── NotAllowed        Forbidden, WrongPassword, RegistrationClosed, LinkInvalid, LinkExpired,
│                     ResetTokenInvalid
├── NotFound
├── OverBudget        SpendLimitReached
├── Conflict          EmailTaken, LastAdmin, JobFinished, JobUnfinished, JobNotRetryable,
│                     IdempotencyConflict, IdempotencyInProgress, NotUnknown, NotHeld
├── Invalid           InvalidRequest, ProviderRefused
├── TooMany           TooManyAttempts, TooManyJobs, Busy
├── ProviderFault     ProviderBadAnswer, ProviderMisconfigured
├── Unavailable       ProviderUnavailable, StorageFull, DatabaseUnavailable, ShuttingDown
├── OutcomeUnknown    ProviderOutcomeUnknown
└── CannotStart       DatabaseLocked, DatabaseDamaged, DatabaseTooNew, InstallationRunning,
                      InstallationClosed, BackupInvalid

A leaf's docstring is what the user reads unless the raiser knows better; `code` never changes.
"""

import inspect
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar


class AigenError(Exception):
    """Something failed inside aigen; the log has the details."""

    code: ClassVar[str] = "internal"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or inspect.getdoc(type(self)))

    @property
    def detail(self) -> str:
        """One sentence that a user can act on."""
        return str(self)


class _Later(AigenError):
    """What may succeed later; `retry_after` says when to try."""

    def __init__(
        self, detail: str | None = None, *, retry_after: timedelta = timedelta(seconds=1)
    ) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


# --- who are you? ---------------------------------------------------------------------------


class Unauthenticated(AigenError):
    """Log in first."""

    code = "unauthenticated"


class NotLoggedIn(Unauthenticated):
    """This needs an access token: log in and send it as `Authorization: Bearer …`."""


class InvalidCredentials(Unauthenticated):
    """E-mail or password is wrong."""

    code = "invalid_credentials"


class TokenInvalid(Unauthenticated):
    """The token is not one of ours, or not of the kind needed here: log in again."""

    code = "token_invalid"


class TokenExpired(Unauthenticated):
    """The token has expired: refresh it or log in again."""

    code = "token_expired"


class TokenRevoked(Unauthenticated):
    """The token is no longer valid, since its session has ended: log in again."""

    code = "token_revoked"


class CallbackSignatureInvalid(Unauthenticated):
    """The callback's signature is missing, wrong or too old."""

    code = "bad_signature"


# --- may you? -------------------------------------------------------------------------------


class NotAllowed(AigenError):
    """You may not do this."""

    code = "forbidden"


class Forbidden(NotAllowed):
    """Only an administrator may do this."""


class WrongPassword(NotAllowed):
    """The current password is wrong."""

    code = "wrong_password"


class RegistrationClosed(NotAllowed):
    """Registration is closed here: ask an administrator for an account."""

    code = "registration_closed"


class LinkInvalid(NotAllowed):
    """The link is incomplete or was changed: fetch a fresh one from the API."""

    code = "bad_signature"


class LinkExpired(NotAllowed):
    """The link has expired: fetch a fresh one from the API."""

    code = "link_expired"


class ResetTokenInvalid(NotAllowed):
    """The reset link is wrong, used or expired: ask an administrator for a new one."""

    code = "reset_token_invalid"


# --- does it exist, does it fit? ------------------------------------------------------------


class NotFound(AigenError):
    """There is no such thing, or it is not yours."""

    code = "not_found"


class Conflict(AigenError):
    """This does not fit the present state."""

    code = "conflict"


class EmailTaken(Conflict):
    """This e-mail address already has an account."""

    code = "email_taken"


class LastAdmin(Conflict):
    """This is the last administrator: promote somebody else first."""

    code = "last_admin"


class JobFinished(Conflict):
    """The job has already finished."""

    code = "job_finished"


class JobUnfinished(Conflict):
    """The job is not finished: cancel it first."""

    code = "job_unfinished"


class JobNotRetryable(Conflict):
    """Only a failed or cancelled job can be retried."""

    code = "job_not_retryable"


class IdempotencyConflict(Conflict):
    """This Idempotency-Key was used with another request: make a new key for a new request."""

    code = "idempotency_conflict"


class IdempotencyInProgress(Conflict, _Later):
    """The first request with this Idempotency-Key is still running: ask again shortly."""

    code = "idempotency_in_progress"


class NotUnknown(Conflict):
    """Only a submission whose outcome is unknown can be settled."""

    code = "not_unknown"


class NotHeld(Conflict):
    """Only a job held after a restore can be released."""

    code = "not_held"


class Invalid(AigenError):
    """The request cannot be used as it is."""

    code = "invalid_request"


class InvalidRequest(Invalid):
    """The request has fields that cannot be used."""

    def __init__(self, detail: str | None = None, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.field = field


class ProviderRefused(Invalid):
    """The provider refused this request."""

    code = "provider_refused"


# --- not now --------------------------------------------------------------------------------


class TooMany(_Later):
    """Too many requests: wait a little."""

    code = "busy"


class TooManyAttempts(TooMany):
    """Too many failed logins: wait before you try again."""

    code = "too_many_attempts"


class TooManyJobs(TooMany):
    """You have as many unfinished video jobs as are allowed: wait for one or cancel one."""

    code = "too_many_jobs"


class Busy(TooMany):
    """The server is busy: try again in a moment."""


class Unavailable(_Later):
    """Not available at the moment: try again later."""

    code = "unavailable"


class ProviderUnavailable(Unavailable):
    """The provider cannot take the request now; nothing was charged. Try again later."""

    code = "provider_unavailable"


class StorageFull(Unavailable):
    """The server has no room to store results, so nothing was sent: tell its administrator."""

    code = "storage_full"


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached at the moment: try again shortly."""

    code = "database_unavailable"


class ShuttingDown(Unavailable):
    """The server is shutting down: try again in a moment."""

    code = "shutting_down"


# --- does the money suffice? ----------------------------------------------------------------


class OverBudget(AigenError):
    """There is not enough money left for this."""

    code = "spend_limit_reached"


class SpendLimitReached(OverBudget):
    """This may cost more than is left of the spending limit."""

    def __init__(
        self,
        detail: str | None = None,
        *,
        scope: str = "house",
        renews_at: datetime | None = None,
        limit_usd: Decimal | None = None,
        left_usd: Decimal | None = None,
    ) -> None:
        super().__init__(detail)
        #: Whose limit it is. What it is and what is left of it, in US dollars, is None where it
        #: is not the caller's to know.
        self.scope = scope
        self.renews_at = renews_at
        self.limit_usd = limit_usd
        self.left_usd = left_usd


# --- the provider ---------------------------------------------------------------------------


class ProviderFault(AigenError):
    """The provider answered in a way that cannot be used."""

    code = "provider_bad_answer"


class ProviderBadAnswer(ProviderFault):
    """The provider answered without a usable result."""


class ProviderMisconfigured(ProviderFault):
    """The provider refuses the server's key or is out of credit: tell the administrator."""

    code = "provider_misconfigured"


class OutcomeUnknown(AigenError):
    """Nobody can tell whether this was done."""

    code = "provider_outcome_unknown"


class ProviderOutcomeUnknown(OutcomeUnknown):
    """The provider did not answer; the request may have been charged. It was not repeated."""


# --- an installation that cannot start ------------------------------------------------------


class CannotStart(AigenError):
    """The installation cannot be used as it is."""

    code = "cannot_start"


class DatabaseLocked(CannotStart):
    """Another process has the database open."""

    code = "database_locked"


class DatabaseDamaged(CannotStart):
    """The database is damaged."""

    code = "database_damaged"


class DatabaseTooNew(CannotStart):
    """The database was written by a newer aigen: upgrade this one."""

    code = "database_too_new"


class InstallationRunning(CannotStart):
    """The installation is running: stop it first."""

    code = "installation_running"


class InstallationClosed(CannotStart):
    """The installation is moving to another database, or has moved there."""

    code = "installation_closed"


class BackupInvalid(CannotStart):
    """The backup is incomplete or was changed."""

    code = "backup_invalid"
