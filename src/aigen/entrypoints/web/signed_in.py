"""The user of a request, and the API in that user's name."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from attrs import asdict, frozen
from flask import g, session
from flask.sessions import SessionMixin
from flask_wtf.csrf import generate_csrf

from aigen.adapters.http.client import (
    ApiClient,
    ApiRefused,
    ApiUnreachable,
    Download,
    EventStream,
)
from aigen.entrypoints.web.backend import backend, guest_api
from aigen.entrypoints.web.tokens import Tokens

T = TypeVar("T")

_UNAUTHENTICATED = 401


class NotSignedIn(Exception):
    """Somebody has to log in first."""


class SessionEnded(NotSignedIn):
    """The session that the browser remembers is over at the API."""


@frozen(kw_only=True)
class User:
    """As the API described them at the last login or renewal of tokens."""

    id: str
    email: str
    role: str

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class SignedInApi:
    """The API for the logged-in user of this request. Tokens are renewed when they have to be.

    Every method raises SessionEnded, ApiRefused and ApiUnreachable.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON of the answer, None if it has none."""
        return self._call(lambda api: api.ask(method, path, body=body, headers=headers))

    def fetch(self, path: str, media_type: str) -> bytes:
        """The answer as it comes, in this media type."""
        return self._call(lambda api: api.fetch(path, media_type))

    def file(self, path: str, *, body: Any) -> Download:
        """The file with which the API answers a POST; it has to be read or closed."""
        return self._call(lambda api: api.file(path, body=body))

    def stream(
        self, path: str, *, body: Any, headers: Mapping[str, str] | None = None
    ) -> EventStream:
        """The events with which the API answers a POST; they have to be read or closed."""
        return self._call(lambda api: api.stream(path, body=body, headers=headers))

    def _call(self, call: Callable[[ApiClient], T]) -> T:
        with _refusal_of_tokens_ends_session():
            if time.time() >= self._tokens.renew_at:
                self._renew()
            try:
                return call(self._speaker())
            except ApiRefused as refusal:
                if refusal.problem != "token_expired":
                    raise
            self._renew()
            return call(self._speaker())

    def _speaker(self) -> ApiClient:
        return backend().speaking_for(self._tokens.access_token)

    def _renew(self) -> None:
        self._tokens = backend().renewals.renew(guest_api(), self._tokens, g.began)
        session["tokens"] = self._tokens.as_json()
        # Role or address may have been changed elsewhere. If asking fails, so will the page.
        with suppress(ApiRefused, ApiUnreachable):
            remember_user(self._speaker().ask("GET", "/users/me"))


def api() -> SignedInApi:
    """The API in the user's name. Raises NotSignedIn."""
    if "api" not in g:
        if "tokens" not in session:
            raise NotSignedIn
        g.api = SignedInApi(Tokens(**session["tokens"]))
    found: SignedInApi = g.api
    return found


def user() -> User | None:
    """Who is logged in, without asking the API whether that is still so."""
    return User(**session["user"]) if "user" in session else None


def begin(answer: dict[str, Any]) -> None:
    """Begin a session with the tokens that the API has just given. Raises as the API does."""
    tokens = Tokens.of(answer)
    me = backend().speaking_for(tokens.access_token).ask("GET", "/users/me")
    session.clear()
    session["tokens"] = tokens.as_json()
    remember_user(me)
    # Made now, since of two pages that came at once and each made one, one form would be refused.
    generate_csrf()


def remember_user(answer: dict[str, Any]) -> None:
    """Show the user from now on as the API has just described them."""
    described = User(id=answer["id"], email=answer["email"], role=answer["role"])
    if session.get("user") != asdict(described):
        session["user"] = asdict(described)


def end() -> None:
    """Forget who was logged in, without a word to the API."""
    session.clear()
    g.pop("api", None)


def settle(changed: SessionMixin) -> None:
    """Before a session is sent to the browser: put in what has become of its tokens, as another
    request may have renewed them while this one was at work."""
    if "tokens" in changed:
        tokens = Tokens(**changed["tokens"])
        latest = backend().renewals.latest(tokens, g.began)
        if latest is not tokens:
            changed["tokens"] = latest.as_json()


@contextmanager
def _refusal_of_tokens_ends_session() -> Iterator[None]:
    try:
        yield
    except ApiRefused as refusal:
        if refusal.status == _UNAUTHENTICATED:
            raise SessionEnded from refusal
        raise
