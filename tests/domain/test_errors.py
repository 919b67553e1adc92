"""Everything that can be refused has a code that never changes and a sentence to act on."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import timedelta

import pytest

import aigen.domain
import aigen.ports
from aigen.domain.model import errors
from aigen.domain.model.errors import AigenError, InvalidRequest, TooManyAttempts

#: The codes that clients rely on. A line may be added; none may ever change.
CODES = {
    "BackupInvalid": "backup_invalid",
    "Busy": "busy",
    "CallbackSignatureInvalid": "bad_signature",
    "DatabaseDamaged": "database_damaged",
    "DatabaseLocked": "database_locked",
    "DatabaseTooNew": "database_too_new",
    "DatabaseUnavailable": "database_unavailable",
    "EmailTaken": "email_taken",
    "Forbidden": "forbidden",
    "IdempotencyConflict": "idempotency_conflict",
    "IdempotencyInProgress": "idempotency_in_progress",
    "InstallationClosed": "installation_closed",
    "InstallationRunning": "installation_running",
    "InvalidCredentials": "invalid_credentials",
    "InvalidRequest": "invalid_request",
    "JobFinished": "job_finished",
    "JobNotRetryable": "job_not_retryable",
    "JobUnfinished": "job_unfinished",
    "LastAdmin": "last_admin",
    "LeaseLost": "lease_lost",
    "LinkExpired": "link_expired",
    "LinkInvalid": "bad_signature",
    "MediaRejected": "media_rejected",
    "NotFound": "not_found",
    "NotHeld": "not_held",
    "NotLoggedIn": "unauthenticated",
    "NotUnknown": "not_unknown",
    "ProviderBadAnswer": "provider_bad_answer",
    "ProviderMisconfigured": "provider_misconfigured",
    "ProviderOutcomeUnknown": "provider_outcome_unknown",
    "ProviderRefused": "provider_refused",
    "ProviderUnavailable": "provider_unavailable",
    "RegistrationClosed": "registration_closed",
    "ResetTokenInvalid": "reset_token_invalid",
    "ShuttingDown": "shutting_down",
    "SpendLimitReached": "spend_limit_reached",
    "StorageFull": "storage_full",
    "TokenExpired": "token_expired",
    "TokenInvalid": "token_invalid",
    "TokenRevoked": "token_revoked",
    "TooManyAttempts": "too_many_attempts",
    "TooManyJobs": "too_many_jobs",
    "WrongPassword": "wrong_password",
}

#: What an answer's status is chosen by.
KINDS = (
    errors.Unauthenticated,
    errors.NotAllowed,
    errors.NotFound,
    errors.OverBudget,
    errors.Conflict,
    errors.Invalid,
    errors.TooMany,
    errors.ProviderFault,
    errors.Unavailable,
    errors.OutcomeUnknown,
    errors.CannotStart,
)


def all_leaves() -> list[type[AigenError]]:
    """Every error of the inside that has no kinds of its own."""
    for package in (aigen.domain, aigen.ports):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    inside = ("aigen.domain.", "aigen.ports.")
    found = {kind for kind in below(AigenError) if kind.__module__.startswith(inside)}
    return sorted(
        (kind for kind in found if not any(base in found for base in kind.__subclasses__())),
        key=lambda kind: kind.__name__,
    )


def below(kind: type[AigenError]) -> Iterator[type[AigenError]]:
    for nearer in kind.__subclasses__():
        yield nearer
        yield from below(nearer)


LEAVES = all_leaves()


def test_every_leaf_keeps_its_code() -> None:
    assert {leaf.__name__: leaf.code for leaf in LEAVES} == CODES


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_leaf_says_one_sentence_of_its_own(leaf: type[AigenError]) -> None:
    said = leaf.__doc__
    assert said is not None
    assert said == leaf().detail == str(leaf())
    assert said.endswith(".")
    assert said[0].isupper()
    assert "\n" not in said


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_leaf_lets_its_raiser_know_better(leaf: type[AigenError]) -> None:
    assert leaf("The fox is asleep.").detail == "The fox is asleep."


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if leaf.__module__ == errors.__name__])
def test_every_leaf_is_of_one_kind(leaf: type[AigenError]) -> None:
    assert sum(issubclass(leaf, kind) for kind in KINDS) == 1


def test_the_tree_at_the_top_of_the_file_names_every_leaf() -> None:
    drawn = errors.__doc__ or ""
    missing = {
        leaf.__name__
        for leaf in LEAVES
        if leaf.__module__ == errors.__name__ and leaf.__name__ not in drawn
    }
    assert missing == set()


def test_what_may_succeed_later_says_when() -> None:
    wait = timedelta(seconds=7)
    assert TooManyAttempts(retry_after=wait).retry_after == wait
    assert TooManyAttempts().retry_after > timedelta(0)
    assert errors.IdempotencyInProgress(retry_after=wait).retry_after == wait


def test_an_invalid_request_names_its_field() -> None:
    assert InvalidRequest("No.", field="prompt").field == "prompt"
    assert InvalidRequest().field is None
