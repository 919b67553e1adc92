"""Which addresses are the provider's own, and which strange ones may be visited."""

import re
from urllib.parse import quote

import httpx

#: No control characters and no half surrogate pairs; `.` and `..` would lead to other routes.
_USABLE_ID = re.compile(r"(?!\.{1,2}\Z)[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,200}")


class Origin:
    """The provider's address. What lies on its origin, and nothing else, is sent our key."""

    def __init__(self, base_url: str) -> None:
        base = _resolved(None, base_url.rstrip("/"))
        if base is None or not _is_base(base):
            raise ValueError("The provider's address must be like https://openrouter.ai/api/v1")
        self._base = str(base).rstrip("/")
        self._start = str(base.copy_with(path="/"))

    def at(self, path: str) -> httpx.URL:
        """One of the contract's routes."""
        return httpx.URL(self._base + path)

    def own(self, address: str, seen_from: httpx.URL | None = None) -> httpx.URL | None:
        """The address, which may be relative, if it leads to this very origin.

        Resolved and written anew it must begin with our scheme, host and port and a slash: no
        other reading of a tricky address (`https://us@them`, `//them`, `\\\\them`) is possible.
        """
        url = _resolved(seen_from or httpx.URL(self._start), address)
        return url if url is not None and str(url).startswith(self._start) else None


def foreign(address: str, seen_from: httpx.URL | None = None) -> httpx.URL | None:
    """The address if it is https with a host and without user name or password."""
    url = _resolved(seen_from, address)
    return url if url and url.scheme == "https" and url.host and not url.userinfo else None


def is_usable_id(job_id: str) -> bool:
    """Whether a poll address can be made of an id; what is merely odd is escaped."""
    return _USABLE_ID.fullmatch(job_id) is not None


def escaped(job_id: str) -> str:
    return quote(job_id, safe="")


def _is_base(url: httpx.URL) -> bool:
    has_more = bool(url.userinfo or url.query)
    return url.scheme in {"http", "https"} and bool(url.host) and not has_more


def _resolved(start: httpx.URL | None, address: str) -> httpx.URL | None:
    try:
        url = httpx.URL(address) if start is None else start.join(address)
        return url.copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError):  # ValueError: a port or host that is none
        return None
