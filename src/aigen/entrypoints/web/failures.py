"""What is said of what has failed, and what to do next."""

from collections.abc import Mapping
from typing import Any

_RETRY = "Try it again; what it was made from is still there."
_OTHER_WORDS = "Change the prompt or the options, or try another model."

_NEXT_STEPS = {
    "provider_refused": _OTHER_WORDS,
    "provider_failed": "Try it again, or with another model.",
    "provider_cancelled": _RETRY,
    "provider_expired": _RETRY,
    "provider_lost": _RETRY,
    "provider_duplicate": "Try it again, and tell an administrator if it happens twice.",
    "provider_bad_answer": "Try it again, or with other words.",
    "provider_misconfigured": "Tell an administrator; nothing can be made until this is settled.",
    "provider_unavailable": "Wait a little, then try it again.",
    "no_content": "Try it again, or with another model.",
    "media_unavailable": _RETRY,
    "media_rejected": "Try another model; this one made a file that cannot be shown safely.",
    "queue_timeout": "Nothing was sent to the provider. Try it again when there is less to do.",
    "deadline": "Try it again, or choose something shorter or smaller.",
    "submission_outcome_unknown": (
        "An administrator can look it up at the provider and bring the video here. "
        "To try it again now may mean to pay twice."
    ),
    "provider_outcome_unknown": "To try it again may mean to pay twice.",
    "submission_settled": _RETRY,
    "held_after_restore": (
        "It is held since the service was restored from a backup. An administrator can release "
        "it, or you can cancel it."
    ),
}


def next_step(code: str | None) -> str:
    """One sentence for an error code of the API."""
    return _NEXT_STEPS.get(code or "", "Try it again in a while.")


def failure(item: Mapping[str, Any]) -> str:
    """Why an image or a video could not be made, and the next step."""
    why = str(item["error"] or "It could not be made")
    return f"{why.removesuffix('.')}. {next_step(item['error_code'])}"
