"""Which hosts belong to the open internet: nobody is led into a private network."""

import ipaddress
import re
import unicodedata

#: Networks that Python 3.11 calls global and the registries of special addresses do not.
_SPECIAL = tuple(
    ipaddress.ip_network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
)
#: The only part of IPv6 that is handed out for use in the internet.
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

_LOCAL_NAMES = re.compile(r"(?:^|\.)(?:localhost|local|internal|lan|home\.arpa|intranet)$")
_FULL_STOPS = re.compile("[\u3002\uff0e\uff61]")


def is_public_address(text: str) -> bool:
    """Whether an IP address is one of the open internet; what it embeds counts as well."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _behind_nat64(address)
        if inner is not None:
            return is_public_address(str(inner))
        if address not in _UNICAST:
            return False
    is_special = any(address in network for network in _SPECIAL)
    return address.is_global and not address.is_multicast and not is_special


def is_public_host(host: str) -> bool:
    """Whether a host, as it stands in an address, is public by its looks; no name is resolved."""
    plain = _as_read(host)
    if ":" in plain or re.fullmatch(r"[\d.]+", plain):
        return is_public_address(plain)
    # What looks like a number (2130706433, 0x7f.1, 127.1) is an IPv4 address to many a resolver.
    last = plain.rpartition(".")[2]
    if not last or last.isdigit() or last.startswith("0x"):
        return False
    return "." in plain and "%" not in plain and not _LOCAL_NAMES.search(plain)


def _as_read(host: str) -> str:
    """The host as IDNA's mapping would have it: plain letters and digits for wide ones, any full
    stop a dot, nothing invisible."""
    text = _FULL_STOPS.sub(".", unicodedata.normalize("NFKC", host)).casefold()
    return "".join(sign for sign in text if unicodedata.category(sign) != "Cf").removesuffix(".")


def _behind_nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
