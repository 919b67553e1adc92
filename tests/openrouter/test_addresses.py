"""Which addresses are the provider's, and which are visited at all."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.adapters.openrouter.addresses import (
    Origin,
    escaped,
    foreign,
    is_usable_id,
)

OURS = Origin("https://openrouter.ai/api/v1")


@pytest.mark.parametrize(
    ("address", "resolved"),
    [
        ("/api/v1/videos/x", "https://openrouter.ai/api/v1/videos/x"),
        ("https://openrouter.ai/api/v1/videos/x?a=b", "https://openrouter.ai/api/v1/videos/x?a=b"),
        ("https://OPENROUTER.ai:443/x#part", "https://openrouter.ai/x"),
        ("//openrouter.ai/x", "https://openrouter.ai/x"),
        ("https://openrouter\u3002ai/x", "https://openrouter.ai/x"),
        # Strange, and harmless: they stay where they are.
        ("\\\\evil.example\\x", "https://openrouter.ai/\\\\evil.example\\x"),
        ("https:\\\\evil.example/x", "https://openrouter.ai/\\\\evil.example/x"),
        ("https:///evil.example/x", "https://openrouter.ai/evil.example/x"),
        ("/../../x", "https://openrouter.ai/x"),
    ],
)
def test_what_lies_on_the_provider_s_origin_is_its_own(address: str, resolved: str) -> None:
    assert str(OURS.own(address)) == resolved


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/api/v1/videos/x",
        "//evil.example/x",
        "http://openrouter.ai/x",
        "https://openrouter.ai:444/x",
        "https://openrouter.ai.evil.example/x",
        "https://openrouter.ai./x",
        "https://openrouter.ai@evil.example/x",
        "https://evil.example\\@openrouter.ai/x",
        "https://openrouter.ai\\@evil.example/x",
        "https://openrouter.ai%2f@evil.example/x",
        "https://user:word@openrouter.ai/x",
        "https://evil.example#@openrouter.ai/x",
        "https://evil.example?@openrouter.ai/x",
        "https://openrouter.ai:x/",
        "https://[::1",
        "javascript:alert(1)",
        "\nhttps://evil.example",
        "ht\ttps://evil.example",
        "\ud800",
        "x" * 100_000,
    ],
)
def test_everything_else_is_not(address: str) -> None:
    assert OURS.own(address) is None


@given(st.text())
def test_no_address_leads_away(address: str) -> None:
    for start in ("", "/", "//", "https:", "https://openrouter.ai", "https://openrouter.ai/"):
        url = OURS.own(start + address)
        assert url is None or (url.scheme, url.host, url.port) == ("https", "openrouter.ai", None)
        foreign(start + address)


@pytest.mark.parametrize(
    ("address", "is_visited"),
    [
        ("https://cdn.example/film.mp4?X-Signature=a%2Fb", True),
        ("https://cdn.example:8443/film", True),
        ("http://cdn.example/film.mp4", False),
        ("//cdn.example/film.mp4", False),
        ("ftp://cdn.example/film.mp4", False),
        ("https://user@cdn.example/film", False),
        ("https:///film", False),
        ("film", False),
        ("", False),
    ],
)
def test_strange_places_are_visited_over_https_alone(address: str, is_visited: bool) -> None:
    assert (foreign(address) is not None) is is_visited


def test_a_redirect_may_be_relative_to_where_it_was_met() -> None:
    seen_from = httpx.URL("https://cdn.example/a/b")
    assert str(foreign("../c", seen_from)) == "https://cdn.example/c"
    assert OURS.own("/c", seen_from) is None


# --- ids --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "job_id", ["gen-vid-1-Ab", "a/b?c#d e%2e", "é", "a\u200bb", "x" * 200, "..."]
)
def test_an_odd_id_is_escaped(job_id: str) -> None:
    assert is_usable_id(job_id)
    url = OURS.own(f"/api/v1/videos/{escaped(job_id)}")
    assert url is not None
    assert url.raw_path.startswith(b"/api/v1/videos/")
    assert url.raw_path.count(b"/") == 4
    assert not url.query


@pytest.mark.parametrize(
    "job_id", ["", ".", "..", "x" * 201, "a\nb", "a\0", "\x7f", "\x85", "\ud800"]
)
def test_an_absurd_id_is_none(job_id: str) -> None:
    assert not is_usable_id(job_id)
