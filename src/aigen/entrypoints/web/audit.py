"""The audit in sentences."""

from collections.abc import Callable, Mapping
from typing import Any

from aigen.entrypoints.web.wording import counted, pruned

_ROLES = {"admin": "an administrator", "user": "a plain user"}
_SETTLED = {
    "adopted": "found the provider's id for",
    "charged": "settled as charged",
    "not charged": "settled as not charged",
    "released": "released",
}

_SENTENCES = {
    "login": "{actor} logged in",
    "login_failed": "Somebody failed to log in as {target}",
    "logout": "{actor} logged out",
    "refresh_reused": "A used token of {target} was shown again, and the session ended",
    "password_changed": "{actor} changed their password",
    "password_reset": "{actor} set a new password by reset link",
    "email_changed": "{actor} changed their e-mail address",
    "user_added": "{actor} added {target}",
    "user_removed": "{actor} removed {target}",
    "role_changed": "{actor} made {target} {role}",
    "reset_link_made": "{actor} made a reset link for {target}",
    "key_made": "{actor} made the key {name}",
    "key_revoked": "{actor} revoked the key {name}",
    "limits_changed": "{actor} changed the limits of {target}",
    "submission_resolved": "{actor} {settled} the video {video}",
    "restored": "A backup was restored, and {held} held back",
    "history_pruned": "What had been kept long enough was removed: {pruned}",
}


def sentence(entry: Mapping[str, Any], name_of: Callable[[str], str]) -> str:
    """What happened; `name_of` tells what the user with an id is called."""
    details = entry["details"]
    actor, target = entry["actor_id"], entry["target_id"]
    is_about_video = entry["action"] == "submission_resolved"
    return _SENTENCES[entry["action"]].format(
        actor=name_of(actor) if actor else "The operator",
        target=name_of(target) if target and not is_about_video else _nobody(entry["action"]),
        role=_ROLES.get(details.get("role", ""), ""),
        name=details.get("name", ""),
        settled=_SETTLED.get(details.get("how", ""), "settled"),
        video=target,
        held=counted(int(details.get("held", "0")), "job"),
        pruned=pruned(details),
    )


def _nobody(action: str) -> str:
    """Who is meant where the audit names nobody."""
    return "the installation" if action == "limits_changed" else "somebody unknown here"
