"""Every hasher of passwords keeps the contract."""

from collections.abc import Iterator

import pytest

from aigen.adapters.bcrypt_passwords import BcryptPasswords
from aigen.adapters.memory.security import PlainPasswords
from aigen.ports.security import PasswordHasher
from aigen.testing.contracts.passwords import *  # noqa: F403


@pytest.fixture(params=["plain", "bcrypt"])
def passwords(request: pytest.FixtureRequest) -> Iterator[PasswordHasher]:
    if request.param == "plain":
        yield PlainPasswords()
        return
    bcrypt = BcryptPasswords(b"a pepper for tests", cost=4)
    yield bcrypt
    bcrypt.close()
