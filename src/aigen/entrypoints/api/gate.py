"""What is refused before the framework sees it: new work while the server stops, large bodies."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from aigen.domain.model.errors import ShuttingDown
from aigen.entrypoints.api.errors import Problem, problem_of, problem_of_status
from aigen.entrypoints.api.house import House

#: What may still be asked of a server that is shutting down.
_WHILE_DRAINING = ("/healthz", "/readyz", "/metrics", "/work/", "/auth/", "/media/")

#: Films come up here, as large as the house lets them be.
_FILMS = "/work/media/"

#: No length that anybody means has more digits.
_MOST_DIGITS = 18


class Gate:
    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        answer = refusal.response(Request(scope)) if refusal else self._app
        await answer(scope, receive, send)

    def _refusal(self, scope: Scope) -> Problem | None:
        method, path = scope["method"], scope["path"]
        if self._house.is_draining and method != "GET" and not path.startswith(_WHILE_DRAINING):
            return problem_of(ShuttingDown())
        # The framework would refuse it in plain text; a body of unknown length is left to it.
        is_film = method == "PUT" and path.startswith(_FILMS)
        if not is_film and _is_longer(scope, self._house.aigen.settings.max_body):
            return problem_of_status(413)
        return None


def _is_longer(scope: Scope, most: int) -> bool:
    """Whether the request says that its body is longer."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return len(value) > _MOST_DIGITS or int(value) > most
    return False
