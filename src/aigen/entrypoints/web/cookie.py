"""The session: an encrypted cookie that is sent only when something in it has changed."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SessionInterface, SessionMixin

from aigen.entrypoints.web.signed_in import settle


class EncryptedCookie(SessionInterface):
    """Encrypts with the first key and decrypts with any, so that keys can be rotated.

    What cannot be decrypted is an empty session, never an error.
    """

    def __init__(self, keys: Sequence[bytes], *, is_https: bool) -> None:
        self._fernet = MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys])
        self._is_https = is_https
        # With this prefix browsers take the cookie from this very host alone, over https.
        self.name = "__Host-aigen" if is_https else "aigen"

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        sealed = request.cookies.get(self.name, "")
        try:
            return SecureCookieSession(json.loads(self._fernet.decrypt(sealed)))
        except (InvalidToken, ValueError, TypeError):
            return SecureCookieSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        # Sent with every answer, a slow one would put back tokens that have been renewed since.
        if not session.modified:
            return
        settle(session)
        content = json.dumps(dict(session), separators=(",", ":")).encode()
        response.set_cookie(
            self.name,
            self._fernet.encrypt(content).decode() if session else "",
            max_age=_seconds_left(session) if session else 0,
            httponly=True,
            samesite="Lax",
            secure=self._is_https,
            path="/",
        )


def _seconds_left(session: SessionMixin) -> int | None:
    """How long the browser should keep it: as long as one is logged in, else until it closes."""
    tokens = session.get("tokens")
    return max(1, int(tokens["ends_at"] - time.time())) if tokens else None
