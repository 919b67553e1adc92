"""The address of the client, as far as it can be believed."""

import hmac
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from fastapi import Request

from aigen.adapters.http.client import WEB_TOKEN_HEADER


class ClientAddresses:
    """`X-Forwarded-For` counts from a trusted proxy and from our own frontend, nobody else."""

    def __init__(self, trusted: Sequence[str], web_token: str) -> None:
        self._trusted = tuple(ip_network(network) for network in trusted)
        self._web_token = web_token.encode()

    def of(self, request: Request) -> str | None:
        """The client's address in its usual form; None when it cannot be told."""
        peer = _parsed(request.client.host if request.client else "")
        hops = [_parsed(hop) for hop in request.headers.get("x-forwarded-for", "").split(",")]
        is_frontend = hmac.compare_digest(
            request.headers.get(WEB_TOKEN_HEADER, "").encode(), self._web_token
        )
        address = peer
        if is_frontend and hops[-1] is not None:
            address = hops.pop()
        # Each trusted proxy has put the one before it at the end; the first that is not ours
        # is the client, whatever it claims to stand before it.
        while address is not None and self._is_trusted(address) and hops and hops[-1] is not None:
            address = hops.pop()
        return None if address is None else str(address)

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
