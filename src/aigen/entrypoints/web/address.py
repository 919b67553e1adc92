"""The address of the browser, as far as it can be believed."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import Request


class ClientAddresses:
    """`X-Forwarded-For` counts from trusted proxies, nobody else."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = tuple(map(ip_network, trusted))

    def of(self, request: Request) -> str:
        """The address of the one who asks; empty when it cannot be told."""
        address = _parsed(request.remote_addr or "")
        hops = request.headers.get("X-Forwarded-For", "").split(",") if self._trusted else []
        # Each proxy has put the one before it at the end; the first that is not ours asks.
        while self._is_trusted(address) and hops and (before := _parsed(hops.pop())):
            address = before
        return "" if address is None else str(address)

    def _is_trusted(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
