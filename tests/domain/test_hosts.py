"""Which IP addresses belong to the open internet."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.domain.model.hosts import is_public_address


@pytest.mark.parametrize(
    "host",
    [
        *("8.8.8.8", "1.1.1.1", "203.0.114.1", "2606:4700::1111", "2a00:1450:4001::1"),
        *("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"),
    ],
)
def test_public_addresses(host: str) -> None:
    assert is_public_address(host)


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
    assert not is_public_address(host)


@given(st.ip_addresses(v=4))
def test_what_embeds_a_private_address_is_private(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for outer in (
        (0xFFFF << 32) + number,
        (0x64FF9B << 96) + number,
        (0x2002 << 112) + (number << 80),
    ):
        assert is_public_address(str(ipaddress.IPv6Address(outer))) == is_public_address(
            str(address)
        )


@given(st.ip_addresses(v=6))
def test_outside_of_what_is_handed_out_nothing_is_public_address(
    address: ipaddress.IPv6Address,
) -> None:
    if is_public_address(str(address)) and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert address.is_global or address.sixtofour
        assert address.ipv4_mapped or address in ipaddress.ip_network("2000::/3")
