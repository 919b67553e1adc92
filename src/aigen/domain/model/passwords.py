"""Which passwords are too weak to be taken, and why."""

import re
import unicodedata

from aigen.domain.model.errors import InvalidRequest

SHORTEST = 12
LONGEST = 256

#: What people most often choose, bare of the digits and signs that they hang on; from the
#: commonest entries of published lists of leaked passwords.
_COMMON = frozenset(
    """
    password passwort passord motdepasse contrasena senha parola geheim secret secure security
    welcome willkommen bienvenue letmein openup master admin administrator root superuser user
    login changeme changeit default guest test testing example sample qwerty qwertz azerty
    qwertyuiop qwertzuiop azertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm yxcvbnm iloveyou trustno
    sunshine princess dragon monkey football baseball basketball superman batman starwars
    whatever shadow michael jordan jennifer hello helloworld flower freedom computer internet
    abc abcd abcdef abcdefgh aigen openrouter
    """.split()
)
_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")
_DIGITS = ("01234567890123456789", "09876543210987654321")
_KEYBOARD = ("qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "1q2w3e4r5t6y7u8i9o0p")

#: Nobody's list of common passwords has longer ones, whatever they consist of.
_LONGEST_COMMON = 24


def check_password(password: str, *, email: str) -> None:
    """Raise InvalidRequest, saying what to do, if a password must not be taken.

    No composition rules: length is what counts, and not being what everybody tries first.
    """
    if len(password) < SHORTEST:
        raise _refuse(f"The password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise _refuse(f"The password may have at most {LONGEST} characters.")
    if "\0" in password or any(unicodedata.category(sign) == "Cs" for sign in password):
        raise _refuse("The password holds a character that cannot be stored.")
    folded = password.casefold()
    if _is_the_email(folded, email.casefold()):
        raise _refuse("The password must not be your e-mail address.")
    if _is_common(folded):
        raise _refuse("This password is one of the first that anybody would try: choose another.")


def _is_the_email(folded: str, email: str) -> bool:
    return folded.strip() == email or re.sub(r"\W", "", folded) == re.sub(r"\W", "", email)


def _is_common(folded: str) -> bool:
    plain = re.sub(r"[\s\W_]", "", folded)
    if len(plain) > _LONGEST_COMMON:
        return False
    if plain.isdigit() and (len(set(plain)) <= 2 or any(plain in run for run in _DIGITS)):  # noqa: PLR2004
        return True
    if any(plain in run for run in _KEYBOARD):
        return True
    word = re.sub(r"^\d+|\d+$", "", plain)
    return any(
        _unrepeated(candidate) in _COMMON
        for candidate in (word, plain, word.translate(_LOOKALIKES), plain.translate(_LOOKALIKES))
    )


def _unrepeated(text: str) -> str:
    """The shortest text of which this one is a repetition."""
    return text[: (text + text).find(text, 1)]


def _refuse(why: str) -> InvalidRequest:
    return InvalidRequest(why, field="password")
