"""Passwords under bcrypt, peppered, and hashed off the event loop."""

import asyncio
import base64
import hmac
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

import bcrypt

from aigen.domain.model.errors import Busy
from aigen.ports.security import PasswordHasher

T = TypeVar("T")

#: Says how the password was prepared, so that another way can live beside it one day.
_SCHEME = "hs384-bcrypt:"

#: With the usual cost of 12, the last in a full queue waits about six seconds.
_LONGEST_QUEUE = 32

_DIGEST_CHARACTERS = 31


class BcryptPasswords(PasswordHasher):
    """`bcrypt(base64(HMAC-SHA-384(pepper, password)))`.

    bcrypt takes at most 72 bytes and refuses NUL; the 64 characters of the digest are always
    fit, whatever the password's length. One processor is left to the event loop.
    """

    def __init__(self, pepper: bytes, cost: int = 12) -> None:
        self._pepper = pepper
        self._cost = cost
        workers = max(1, (os.cpu_count() or 2) - 1)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="bcrypt")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        prepared = self._prepare(password)
        return await self._off_the_loop(lambda: self._hash(prepared))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        prepared = self._prepare(password)
        known = password_hash is not None and password_hash.startswith(_SCHEME)
        stored = password_hash if known and password_hash else self._dummy

        def check() -> bool:
            return bcrypt.checkpw(prepared, stored.removeprefix(_SCHEME).encode())

        return await self._off_the_loop(check) and known

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _prepare(self, password: str) -> bytes:
        # Lone surrogates cannot be encoded; they never pass the rules, so they never match.
        digest = hmac.digest(self._pepper, password.encode(errors="surrogatepass"), "sha384")
        return base64.b64encode(digest)

    def _hash(self, prepared: bytes) -> str:
        return _SCHEME + bcrypt.hashpw(prepared, bcrypt.gensalt(self._cost)).decode()

    @cached_property
    def _dummy(self) -> str:
        """What an unknown user's password is checked against: as slow, never right. Made without
        hashing, which would hold up the event loop, or make the first of them twice as slow."""
        return _SCHEME + bcrypt.gensalt(self._cost).decode() + "." * _DIGEST_CHARACTERS

    async def _off_the_loop(self, work: Callable[[], T]) -> T:
        if self._waiting >= _LONGEST_QUEUE:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1
