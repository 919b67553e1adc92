"""Buying something once, however often the form is sent."""

import time
from typing import Any

from flask import request

from aigen.adapters.http.client import ApiRefused
from aigen.entrypoints.web.signed_in import api

_PATIENCE_SECONDS = 300.0


def generate(path: str, body: dict[str, Any]) -> Any:
    """What the API makes of a form with an `idempotency_key`. Where the form was sent before and
    the first one is still being worked on, its result. Raises as the API does."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return api().ask("POST", path, body=body, headers=key_header())
        except ApiRefused as error:
            is_running = error.problem == "idempotency_in_progress"
            if not is_running or time.monotonic() > give_up_at:
                raise
            time.sleep(error.retry_after or 1)


def key_header() -> dict[str, str]:
    """The header that goes with the form's key."""
    key = request.form.get("idempotency_key", "")
    return {"Idempotency-Key": key} if key else {}
