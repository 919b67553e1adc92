"""Which passwords are taken: long ones, of whatever characters, that nobody tries first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.passwords import LONGEST, SHORTEST, check_password

EMAIL = "Ann.Fox@example.org"


def refusal(password: str) -> InvalidRequest | None:
    try:
        check_password(password, email=EMAIL)
    except InvalidRequest as refused:
        return refused
    return None


def is_taken(password: str) -> bool:
    return refusal(password) is None


@pytest.mark.parametrize(
    "password",
    [
        "a long pass phrase",
        "x7$kQ9!mPz2w",  # twelve characters
        "ab" + "c" * (LONGEST - 2),
        "ü" * 40,  # 80 bytes: more than bcrypt takes
        "correct horse battery staple",
        "    leading and trailing    ",
        "Füchse\tund\nEulen",
        "пароль очень длинный",
        "狐狸在雪地里奔跑着寻找食物吃",
        "🦊🐻🐼🦁🐯🐨🐵🐸🐙🦄🐝🐳",
        "e\u0301te\u0301te\u0301te\u0301te\u0301te\u0301",  # combining accents
        "the password is not password1",
        "ann.fox@example.org and more",
    ],
)
def test_a_good_password_is_taken(password: str) -> None:
    assert is_taken(password)


@pytest.mark.parametrize(
    "password",
    ["", "x7$kQ9!mPz2", "ü" * 11, "x7$kQ9!mPz2w" + "y" * (LONGEST - 11), "ü" * (LONGEST + 1)],
)
def test_a_password_too_short_or_too_long_is_refused(password: str) -> None:
    assert len(password) not in range(SHORTEST, LONGEST + 1)
    assert not is_taken(password)


@pytest.mark.parametrize("sign", ["\0", chr(0xD800), chr(0xDC80), chr(0xDFFF)])
def test_a_password_that_cannot_be_stored_is_refused(sign: str) -> None:
    assert not is_taken(f"a long {sign} pass phrase")


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password1234",
        "P@ssword1234",
        "p@$$word p@$$word",
        "p a s s w o r d 1 2 3",
        "123456789012",
        "987654321098",
        "000000000000",
        "121212121212",
        "qwertyuiopasdf",
        "qwertzuiopasdf",
        "1q2w3e4r5t6y",
        "letmeinletmein",
        "administrator1",
        "2024administrator2024",
        "openrouter2026",
        "abcabcabcabc",
        "iloveyouiloveyou",
        "ChangeMe!!!!!!",
    ],
)
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    assert not is_taken(password)


@pytest.mark.parametrize(
    "password", [EMAIL, EMAIL.lower(), EMAIL.upper(), f"  {EMAIL} ", "annfoxexampleorg"]
)
def test_ones_own_address_is_refused(password: str) -> None:
    assert not is_taken(password)


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo"], min_codepoint=0x370), min_size=12))
def test_letters_of_any_script_make_a_password(password: str) -> None:
    assert is_taken(password[:LONGEST])


@given(
    st.text(st.sampled_from("🦊🐻🐼🦁🐯🐨🐵🐸🐙🦄🐝🐳—…«»€→"), min_size=12, max_size=40).filter(
        lambda text: len(set(text)) > 5
    )
)
def test_no_letter_is_needed(password: str) -> None:
    assert is_taken(password)


@given(st.text(max_size=300))
def test_every_text_is_taken_or_refused_with_a_reason_that_does_not_repeat_it(
    password: str,
) -> None:
    refused = refusal(password)
    if refused is None:
        assert SHORTEST <= len(password) <= LONGEST
    else:
        assert refused.field == "password"
        assert refused.detail.endswith(".")
        assert len(password) < SHORTEST or password not in refused.detail
