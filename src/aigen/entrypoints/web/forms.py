"""Reading what a form has sent."""

import secrets
from collections.abc import Mapping
from math import isfinite
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, request
from markupsafe import Markup, escape

#: After these refusals a key is used up: sending the form again is a new request.
_SPENT = {"provider_outcome_unknown", "idempotency_conflict"}


def filled(*names: str) -> dict[str, str]:
    """The fields that were filled in. Browsers send line breaks as CR LF; here they are LF."""
    values = ((name, request.form.get(name, "").replace("\r\n", "\n")) for name in names)
    return {name: value for name, value in values if value.strip()}


def with_numbers(fields: Mapping[str, str], *names: str) -> dict[str, Any]:
    """The fields, these of them as whole numbers; what is none stays, for the API to refuse."""
    return {
        name: int(text) if name in names and text.isdecimal() else text
        for name, text in fields.items()
    }


def with_amounts(fields: Mapping[str, str], *names: str) -> dict[str, Any]:
    """The fields, these of them as amounts; what is none stays, for the API to refuse."""
    return {name: _amount(text) if name in names else text for name, text in fields.items()}


def _amount(text: str) -> float | str:
    try:
        amount = float(text)
    except ValueError:
        return text
    return amount if isfinite(amount) else text


def ids(name: str) -> tuple[str, ...]:
    """The ids in all fields, or parts of the query, of this name; what is none is left out."""
    return tuple(value for value in request.values.getlist(name) if _is_id(value))


def _is_id(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False


def new_key() -> str:
    """For the hidden field `idempotency_key` of a form that buys something: sent twice, by a
    double click or a reload, it buys once."""
    return secrets.token_urlsafe(18)


def key_after(problem: str) -> str:
    """The key of a form that is shown again after a refusal with this code."""
    sent = request.form.get("idempotency_key", "")
    return new_key() if problem in _SPENT or not sent else sent


def attributes(*parts: Mapping[str, object]) -> Markup:
    """HTML attributes; true is one without a value, what is empty is left out."""
    given = {name: value for part in parts for name, value in part.items() if value or value == 0}
    # Put together by hand: `Markup.format` would take a third of the time of the gallery.
    return Markup(  # noqa: S704 - every part has been escaped
        "".join(
            f" {escape(name)}" if value is True else f' {escape(name)}="{escape(value)}"'
            for name, value in given.items()
            if value is not False
        )
    )


def install(app: Flask) -> None:
    app.jinja_env.globals["attributes"] = attributes


def local_path(target: str | None) -> str:
    """The target if it is a page of ours, else the first page. Never leads elsewhere."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return "/"
    is_odd = "\\" in target or any(char <= " " or char == "\x7f" for char in target)
    parts = urlsplit(target)
    return "/" if is_odd or parts.scheme or parts.netloc else target
