"""Links that work for a few minutes and for one file: to our own media route, or to a bucket."""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import obstore

from aigen.adapters.media.bucket import Bucket
from aigen.domain.model.errors import LinkExpired, LinkInvalid
from aigen.ports.clock import Clock
from aigen.ports.media import MediaLinks

_LIFETIME = timedelta(minutes=5)

#: Links made within one step are the same, so that a page that polls need not reload its film.
_STEP_SECONDS = 150


class SignedLinks(MediaLinks):
    """`…/media/{key}?expires=…&signature=…`; the first secret signs, all verify."""

    def __init__(self, base_url: str, secrets: Sequence[bytes], clock: Clock) -> None:
        self._base_url = base_url.rstrip("/")
        self._secrets = tuple(secrets)
        self._clock = clock

    @property
    def origin(self) -> str:
        return _origin_of(self._base_url)

    def link(self, key: str) -> str:
        latest = (self._clock.now() + _LIFETIME).timestamp()
        expires = int(latest // _STEP_SECONDS) * _STEP_SECONDS
        signature = _sign(self._secrets[0], key, expires)
        return f"{self._base_url}/media/{quote(key)}?expires={expires}&signature={signature}"

    def check(self, key: str, expires: str | None, signature: str | None) -> None:
        """Raise LinkInvalid or LinkExpired unless we signed this link and it is fresh."""
        if not expires or not signature or not expires.isascii() or not expires.isdigit():
            raise LinkInvalid
        until = int(expires[:12])
        given = signature.encode(errors="replace")
        if not any(
            hmac.compare_digest(_sign(secret, key, until).encode(), given)
            for secret in self._secrets
        ):
            raise LinkInvalid
        if datetime.fromtimestamp(until, UTC) <= self._clock.now():
            raise LinkExpired


class BucketLinks(MediaLinks):
    """Presigned links of the bucket itself, which then serves the file."""

    def __init__(self, bucket: Bucket, clock: Clock) -> None:
        self._bucket = bucket
        self._clock = clock
        self._step = 0
        self._made: dict[str, str] = {}

    @property
    def origin(self) -> str:
        return _origin_of(self.link("any"))

    def link(self, key: str) -> str:
        step = int(self._clock.now().timestamp() // _STEP_SECONDS)
        if step != self._step:
            self._step, self._made = step, {}
        if key not in self._made:
            self._made[key] = obstore.sign(self._bucket, "GET", key, _LIFETIME)
        return self._made[key]


def _origin_of(url: str) -> str:
    """Scheme, host and port of an address."""
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc}"


def _sign(secret: bytes, key: str, expires: int) -> str:
    return hmac.digest(secret, f"{expires}\n{key}".encode(), "sha256").hex()
