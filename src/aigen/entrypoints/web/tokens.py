"""The tokens of a login, and their renewal: once, whoever asks for it at the same time."""

import hmac
import json
import threading
import time
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

from attrs import asdict, frozen

from aigen.adapters.http.client import ApiClient

#: So long a request may take and still put its successors into the cookie.
_REMEMBERED_SECONDS = 600.0
_MARGIN_SECONDS = 30.0
_LOCKS = 64


@frozen(kw_only=True)
class Tokens:
    """Instants are seconds of our own clock. After `renew_at` the access token is about to
    expire; after `ends_at` the refresh token is of no more use."""

    access_token: str
    refresh_token: str
    renew_at: float
    ends_at: float

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "Tokens":
        """From the API's answer, just now."""
        now, lifetime = time.time(), float(answer["expires_in"])
        return cls(
            access_token=answer["access_token"],
            refresh_token=answer["refresh_token"],
            renew_at=round(now + max(lifetime / 2, lifetime - _MARGIN_SECONDS), 1),
            ends_at=round(now + float(answer["refresh_expires_in"])),
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def jti(self) -> str:
        """Which refresh token it is, as it says itself."""
        return str(_claims(self.refresh_token)["jti"])

    @property
    def session_id(self) -> str:
        return str(_claims(self.refresh_token)["sid"])


@frozen
class _Renewed:
    successor: Tokens
    at: float


class Renewals:
    """Renews tokens at the API, one at a time for each session.

    Requests that come with the same old tokens at the same time get the same new ones: from
    memory in this process, and by the Idempotency-Key from the API in another. Later than the
    retry window, an old token is not answered from memory, so that the API can judge the replay.
    """

    def __init__(self, key: bytes, retry_window: timedelta) -> None:
        self._key = key
        self._window = retry_window.total_seconds()
        self._renewed: dict[str, _Renewed] = {}
        # A lock serves several sessions; it is held for one short call.
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))

    def latest(self, tokens: Tokens, since: float) -> Tokens:
        """What has become of the tokens that a request brought when it began, at `since`."""
        while (renewed := self._renewed.get(tokens.jti)) is not None:
            if renewed.at < since - self._window:
                break
            tokens = renewed.successor
        return tokens

    def renew(self, api: ApiClient, tokens: Tokens, since: float) -> Tokens:
        """Tokens that are newer than these. Raises ApiRefused and ApiUnreachable."""
        with self._locks[hash(tokens.session_id) % _LOCKS]:
            latest = self.latest(tokens, since)
            if latest is not tokens and time.time() < latest.renew_at:
                return latest
            answer = api.ask(
                "POST",
                "/auth/refresh",
                body={"refresh_token": latest.refresh_token},
                headers={"Idempotency-Key": self._idempotency_key(latest.jti)},
            )
            successor = Tokens.of(answer)
            self._remember(latest.jti, successor)
            return successor

    def _idempotency_key(self, jti: str) -> str:
        """The same for all our tabs, threads and processes, and a secret for everybody else."""
        return hmac.digest(self._key, jti.encode(), "sha256").hex()

    def _remember(self, jti: str, successor: Tokens) -> None:
        now = time.time()
        forgotten = [
            old
            for old, renewed in list(self._renewed.items())
            if renewed.at < now - _REMEMBERED_SECONDS
        ]
        for old in forgotten:
            self._renewed.pop(old, None)
        self._renewed[jti] = _Renewed(successor, now)


def _claims(token: str) -> dict[str, Any]:
    """What a token says. Its signature is the API's business; here it comes from our own cookie."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
