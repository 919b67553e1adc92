"""The API for programs that may wait: the command line, and whoever else needs a plain client."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx

from aigen.domain.model.errors import AigenError

_TIMEOUT = httpx.Timeout(30.0, read=320.0)


class ApiRefused(AigenError):
    """The API refused; `problem` is the code that it gave."""

    def __init__(self, detail: str, problem: str) -> None:
        super().__init__(detail)
        self.problem = problem


class ApiUnreachable(AigenError):
    """The API cannot be reached."""


class ApiClient:
    """One caller's connection; `token` is an access token, a key or the operator's token."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self._base_url = base_url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=base_url, headers=headers, timeout=_TIMEOUT, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(
        self, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        """The JSON of the answer, None if it has none. Raises ApiRefused and ApiUnreachable."""
        with self._reached():
            response = self._client.request(method, path, json=body, headers=headers)
        self._must_be_well(response)
        return response.json() if response.content else None

    def pages(self, path: str) -> Iterator[Any]:
        """All items of a list, newest first, however many pages it has."""
        cursor = ""
        while True:
            page = self.ask("GET", f"{path}?limit=100{cursor}")
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = f"&cursor={page['next_cursor']}"

    def download(self, url: str) -> Iterator[bytes]:
        """The bytes of a media link."""
        with self._reached(), self._client.stream("GET", url) as response:
            if response.is_error:
                response.read()
            self._must_be_well(response)
            yield from response.iter_bytes()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            raise ApiUnreachable(
                f"The API at {self._base_url} cannot be reached ({error}): start it with "
                "`aigen up`, or set AIGEN_API_URL."
            ) from error

    @staticmethod
    def _must_be_well(response: httpx.Response) -> None:
        if not response.is_error:
            return
        try:
            problem = response.json()
            detail, code = str(problem["detail"]), str(problem["code"])
        except (ValueError, KeyError, TypeError):
            detail, code = f"The API answered with status {response.status_code}.", "unreadable"
        raise ApiRefused(detail, code)
