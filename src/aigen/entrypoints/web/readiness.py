"""Why the API is not ready, for those who can do something about it."""

import json
import time
from concurrent.futures import Future
from threading import Lock, Thread

from aigen.adapters.http.connections import OUTAGES, Connections

Troubles = tuple[str, ...]

_FRESH_SECONDS = 10.0
#: So long a page waits for the answer; then it is shown without.
_PATIENCE_SECONDS = 0.3


class Readiness:
    """What `GET /readyz` says, asked now and then beside the pages, so that an API that is slow
    or away costs them nothing."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._asking = Lock()
        self._asked: Future[Troubles] = Future()
        self._asked.set_result(())
        self._asked_at = -_FRESH_SECONDS

    def troubles(self) -> Troubles:
        """Reasons in words; none as long as they are not known."""
        with self._asking:
            is_old = time.monotonic() - self._asked_at > _FRESH_SECONDS
            if is_old and self._asked.done():
                self._ask()
            asked, waited = self._asked, time.monotonic() - self._asked_at
        try:
            return asked.result(timeout=max(0.0, _PATIENCE_SECONDS - waited))
        except TimeoutError:
            return ()

    def _ask(self) -> None:
        asked: Future[Troubles] = Future()
        # No pool: its threads would be waited for when the process ends.
        Thread(target=lambda: asked.set_result(self._answer()), daemon=True).start()
        self._asked, self._asked_at = asked, time.monotonic()

    def _answer(self) -> Troubles:
        try:
            content = self._connections.request("GET", "/readyz", None, {}).read()
            return tuple(map(str, json.loads(content)["reasons"]))
        except (*OUTAGES, ValueError, KeyError, TypeError):
            return ()
