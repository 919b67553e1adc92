"""What every parser of e-mail addresses must do; the fixture `emails` is one."""

import pytest

from aigen.domain.model.errors import InvalidRequest
from aigen.ports.security import EmailParser


@pytest.mark.parametrize("text", ["ann@example.org", " ann@example.org\n"])
def test_an_address_is_what_was_typed_without_the_space_around_it(
    emails: EmailParser, text: str
) -> None:
    assert emails.parse(text).typed == "ann@example.org"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@Example.ORG", "ann@example.org"),
        ("STRASSE@example.org", "straße@example.org"),
        ("u\u0308@example.org", "\u00fc@example.org"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
    ],
)
def test_spellings_of_one_address_have_one_identity(
    emails: EmailParser, one: str, other: str
) -> None:
    assert emails.parse(one).identity == emails.parse(other).identity


def test_different_people_have_different_identities(emails: EmailParser) -> None:
    texts = ("ann@example.org", "bob@example.org", "ann@example.com", "ann.x@example.org")
    assert len({emails.parse(text).identity for text in texts}) == len(texts)


@pytest.mark.parametrize("text", ["", "ann", "ann@", "@example.org", "  "])
def test_what_is_no_address_is_refused_by_the_name_of_its_field(
    emails: EmailParser, text: str
) -> None:
    with pytest.raises(InvalidRequest) as raised:
        emails.parse(text)
    assert raised.value.field == "email"
