"""Which addresses are the provider's, and which are visited at all."""

import ipaddress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.adapters.openrouter.addresses import (
    Origin,
    escaped,
    foreign,
    is_public,
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


# --- the open internet ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        *("8.8.8.8", "1.1.1.1", "203.0.114.1", "2606:4700::1111", "2a00:1450:4001::1"),
        *("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"),
    ],
)
def test_public_addresses(host: str) -> None:
    assert is_public(host)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.255.255.255", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),  # noqa: S104
        *("169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1"),
        *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::127.0.0.1", "::8.8.8.8", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1"),
        *("ff02::1", "ff0e::1", "2001::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::"),
        *(
            "localhost",
            "example.com",
            "0x7f.1",
            "2130706433",
            "127.1",
            "017700000001",
            "",
            " 8.8.8.8",
        ),
    ],
)
def test_addresses_that_are_not_public(host: str) -> None:
    assert not is_public(host)


@given(st.ip_addresses(v=4))
def test_what_embeds_a_private_address_is_private(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for outer in (
        (0xFFFF << 32) + number,
        (0x64FF9B << 96) + number,
        (0x2002 << 112) + (number << 80),
    ):
        assert is_public(str(ipaddress.IPv6Address(outer))) == is_public(str(address))


@given(st.ip_addresses(v=6))
def test_outside_of_what_is_handed_out_nothing_is_public(address: ipaddress.IPv6Address) -> None:
    if is_public(str(address)) and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert address.is_global or address.sixtofour
        assert address.ipv4_mapped or address in ipaddress.ip_network("2000::/3")
