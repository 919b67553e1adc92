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
#: Signs and digits that stand for a letter which they look like.
_SIGNS = str.maketrans("@$!", "asi")
_DIGITS_AS_LETTERS = str.maketrans("013457", "oieast")
_RUNS = (
    "01234567890123456789",
    "09876543210987654321",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
)

#: Nobody's list of common passwords has longer ones, whatever they consist of.
_LONGEST_COMMON = 24


def check_password(password: str, *, email: str, field: str = "password") -> None:
    """Raise InvalidRequest, saying what to do, if a password must not be taken. `field` is what
    it is called where it was sent.

    No composition rules: length is what counts, and not being what everybody tries first.
    """
    weakness = _weakness_of(password, email)
    if weakness is not None:
        raise InvalidRequest(weakness, field=field)


def _weakness_of(password: str, email: str) -> str | None:
    if len(password) < SHORTEST:
        return f"The password needs at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"The password may have at most {LONGEST} characters."
    if "\0" in password or any(unicodedata.category(sign) == "Cs" for sign in password):
        return "The password holds a character that cannot be stored."
    folded = password.casefold()
    if _is_the_email(folded, email.casefold()):
        return "The password must not be your e-mail address."
    if _is_common(folded):
        return "This password is one of the first that anybody would try: choose another."
    return None


def _is_the_email(folded: str, email: str) -> bool:
    return folded.strip() == email or re.sub(r"\W", "", folded) == re.sub(r"\W", "", email)


def _is_common(folded: str) -> bool:
    plain = _bare(folded)
    if len(plain) > _LONGEST_COMMON:
        return False
    if not plain:
        return _is_monotonous(folded)
    if plain.isdigit() and _is_monotonous(plain):
        return True
    if any(plain in run for run in _RUNS):
        return True
    spelled = (plain, _bare(folded.translate(_SIGNS)))
    trimmed = (re.sub(r"^\d+|\d+$", "", word) for word in spelled)
    words = {*spelled, *trimmed}
    words |= {word.translate(_DIGITS_AS_LETTERS) for word in words}
    return any(_unrepeated(word) in _COMMON for word in words)


def _is_monotonous(text: str) -> bool:
    return len(set(text)) <= 2  # noqa: PLR2004


def _bare(text: str) -> str:
    """Letters and digits alone."""
    return re.sub(r"[\W_]", "", text)


def _unrepeated(text: str) -> str:
    """The shortest text of which this one is a repetition."""
    return text[: (text + text).find(text, 1)]
