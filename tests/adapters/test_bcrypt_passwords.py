"""Passwords under bcrypt, with the cost turned down."""

import asyncio

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigen.adapters.bcrypt_passwords import BcryptPasswords
from aigen.domain.model.errors import Busy

PEPPER = b"a pepper for tests"


@pytest.fixture
def passwords() -> BcryptPasswords:
    return BcryptPasswords(PEPPER, cost=4)


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1, max_size=256))
def test_only_the_whole_password_is_right(password: str) -> None:
    passwords = BcryptPasswords(PEPPER, cost=4)

    async def check() -> None:
        stored = await passwords.hash(password)
        assert await passwords.verify(password, stored)
        assert not await passwords.verify(password + "x", stored)
        assert not await passwords.verify(password[:-1], stored)

    asyncio.run(check())
    passwords.close()


async def test_characters_beyond_the_72nd_byte_count(passwords: BcryptPasswords) -> None:
    stored = await passwords.hash("ü" * 40 + "a")
    assert await passwords.verify("ü" * 40 + "a", stored)
    assert not await passwords.verify("ü" * 40 + "b", stored)
    passwords.close()


async def test_the_pepper_counts(passwords: BcryptPasswords) -> None:
    other = BcryptPasswords(b"another pepper", cost=4)
    assert not await other.verify("a long pass phrase", await passwords.hash("a long pass phrase"))
    passwords.close()
    other.close()


async def test_nobody_has_no_password(passwords: BcryptPasswords) -> None:
    assert not await passwords.verify("a long pass phrase", None)
    assert not await passwords.verify("\ud800", None)
    passwords.close()


async def test_a_hash_of_an_unknown_scheme_is_never_right(passwords: BcryptPasswords) -> None:
    foreign = bcrypt.hashpw(b"a long pass phrase", bcrypt.gensalt(4)).decode()
    assert not await passwords.verify("a long pass phrase", foreign)
    passwords.close()


async def test_too_many_at_once_are_turned_away_and_the_loop_goes_on() -> None:
    passwords = BcryptPasswords(PEPPER, cost=8)
    turns = 0

    async def loop_runs() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    running = asyncio.ensure_future(loop_runs())
    hashes = (passwords.hash("a long pass phrase") for _ in range(50))
    results = await asyncio.gather(*hashes, return_exceptions=True)
    running.cancel()
    assert sum(isinstance(result, Busy) for result in results) == 50 - 32
    assert turns > 10
    passwords.close()
