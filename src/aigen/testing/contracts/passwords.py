"""What every hasher of passwords must do; the fixture `passwords` is one, as cheap as it goes."""

import asyncio

import pytest

from aigen.ports.security import PasswordHasher

#: Longer than what bcrypt looks at, in a script where characters take several bytes.
_LONG = "пароль " * 30

_PASSWORDS = ["a long pass phrase", _LONG, "with a \0 within", " ", "Grüße 🦊"]


@pytest.mark.parametrize("password", _PASSWORDS)
async def test_only_the_whole_password_is_right(passwords: PasswordHasher, password: str) -> None:
    stored = await passwords.hash(password)
    assert await passwords.verify(password, stored)
    for other in (password + "x", password[:-1], password.swapcase() + "x", ""):
        assert not await passwords.verify(other, stored)


async def test_the_same_password_has_another_hash_each_time(passwords: PasswordHasher) -> None:
    hashes = [await passwords.hash("a long pass phrase") for _ in range(3)]
    assert len(set(hashes)) == len(hashes)
    assert all([await passwords.verify("a long pass phrase", stored) for stored in hashes])


async def test_nobody_has_no_password(passwords: PasswordHasher) -> None:
    assert not await passwords.verify("a long pass phrase", None)
    assert not await passwords.verify("", None)


@pytest.mark.parametrize("stored", ["", "x", "other:$2b$04$", "a long pass phrase"])
async def test_what_is_no_hash_of_ours_is_never_right(
    passwords: PasswordHasher, stored: str
) -> None:
    assert not await passwords.verify("a long pass phrase", stored)


async def test_some_are_hashed_at_a_time(passwords: PasswordHasher) -> None:
    names = [f"pass phrase {number}" for number in range(8)]
    hashes = await asyncio.gather(*map(passwords.hash, names))
    assert all(await asyncio.gather(*map(passwords.verify, names, hashes)))
    assert not any(await asyncio.gather(*map(passwords.verify, names, hashes[1:] + hashes[:1])))
