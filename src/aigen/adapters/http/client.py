"""The API for programs that may wait: the frontend, the command line, and whoever else needs a
plain client."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlsplit

from attrs import field, frozen

from aigen.adapters.http.connections import OUTAGES, Answer, Connections
from aigen.domain.model.errors import AigenError

#: By this header the frontend shows that it may say for whom it asks.
WEB_TOKEN_HEADER = "x-aigen-web-token"  # noqa: S105 - the name of a header

_FIRST_ERROR = 400


class ApiRefused(AigenError):
    """The API refused. `problem` is its code and `status` the HTTP status; `errors` has a
    sentence for each field that is wrong, `retry_after` the seconds until it may be asked again."""

    def __init__(
        self,
        detail: str,
        problem: str,
        status: int,
        *,
        errors: Mapping[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = problem
        self.status = status
        self.errors = errors or {}
        self.retry_after = retry_after


class ApiUnreachable(AigenError):
    """The API cannot be reached."""


@frozen(eq=False)
class ApiClient:
    """The API for one caller; `token` is an access token, a key or the operator's token.

    Threads may share it.
    """

    _base_url: str
    _token: str | None = None
    _headers: Mapping[str, str] = field(factory=dict, kw_only=True)
    _connections: Connections = field(kw_only=True)

    @_connections.default
    def _new_connections(self) -> Connections:
        return Connections(self._base_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connections.close()

    def speaking_for(self, token: str | None, headers: Mapping[str, str]) -> "ApiClient":
        """The same connections for another caller, with these headers on every request."""
        return ApiClient(self._base_url, token, headers=headers, connections=self._connections)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON of the answer, None if it has none. Raises ApiRefused and ApiUnreachable."""
        with self._reached():
            content = self._request(method, path, body, headers or {}).read()
            return json.loads(content) if content else None

    def fetch(self, path: str, media_type: str) -> bytes:
        """The answer as it comes, in this media type. Raises ApiRefused and ApiUnreachable."""
        with self._reached():
            return self._request("GET", path, None, {"Accept": media_type}).read()

    def file(self, path: str, *, body: Any) -> "Download":
        """The file with which the API answers a POST. Raises ApiRefused and ApiUnreachable."""
        with self._reached():
            return Download(self, self._request("POST", path, body, {}))

    def stream(
        self, path: str, *, body: Any, headers: Mapping[str, str] | None = None
    ) -> "EventStream":
        """The events with which the API answers a POST. Raises ApiRefused and ApiUnreachable."""
        with self._reached():
            return EventStream(self, self._request("POST", path, body, headers or {}))

    def pages(self, path: str) -> Iterator[Any]:
        """All items of a list, newest first, however many pages it has."""
        cursor = ""
        while True:
            page = self.ask("GET", f"{path}?limit=100{cursor}")
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = f"&cursor={page['next_cursor']}"

    def download(self, url: str) -> "Download":
        """The file behind a media link, which needs no token. Raises ApiRefused, ApiUnreachable."""
        address = urlsplit(url)
        elsewhere = Connections(f"{address.scheme}://{address.netloc}")
        target = address._replace(scheme="", netloc="").geturl()
        with self._reached():
            answer = elsewhere.request("GET", target, None, {})
            _must_be_well(answer)
        return Download(self, answer, elsewhere)

    def _request(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
        sent = {**self._headers, **headers}
        if self._token is not None:
            sent["Authorization"] = f"Bearer {self._token}"
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        answer = self._connections.request(method, path, content, sent)
        _must_be_well(answer)
        return answer

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (*OUTAGES, json.JSONDecodeError) as error:
            reason = str(error) or type(error).__name__
            raise ApiUnreachable(
                f"The API at {self._base_url} cannot be reached ({reason}): start it with "
                "`aigen up`, or set AIGEN_API_URL."
            ) from error


class EventStream:
    """Server-sent events as they come: pairs of a name and the JSON that goes with it, and None
    for each comment that keeps the connection alive. Read it once, or close it."""

    def __init__(self, client: ApiClient, answer: Answer) -> None:
        self._client = client
        self._answer = answer

    def __iter__(self) -> Iterator[tuple[str, Any] | None]:
        """Raises ApiUnreachable when it is cut."""
        rest = b""
        name, data = "message", b""
        with self._client._reached():  # noqa: SLF001 - two halves of one client
            for chunk in self._answer.chunks():
                # Lines end where the wire says, not at U+2028, which may be in a text.
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.startswith(b"event:"):
                        name = line[6:].strip().decode()
                    elif line.startswith(b"data:"):
                        data += line[5:].strip()
                    elif line.startswith(b":"):
                        yield None
                    elif not line.strip() and data:
                        yield name, json.loads(data)
                        name, data = "message", b""

    def close(self) -> None:
        self._answer.close()


@frozen(eq=False)
class Download:
    """A file, piece by piece as it comes. Read it once, or close it."""

    _client: ApiClient
    _answer: Answer
    #: Made for it alone, if it lies elsewhere.
    _connections: Connections | None = None

    @property
    def media_type(self) -> str:
        return self._answer.header("Content-Type") or "application/octet-stream"

    @property
    def disposition(self) -> str:
        """The name under which it is to be saved, as the header has it."""
        return self._answer.header("Content-Disposition") or "attachment"

    @property
    def length(self) -> str | None:
        """How many bytes there are, if the other side says so."""
        return self._answer.header("Content-Length")

    def __iter__(self) -> Iterator[bytes]:
        """Raises ApiUnreachable when it is cut."""
        with self._client._reached():  # noqa: SLF001 - two halves of one client
            yield from self._answer.chunks()
        self.close()

    def close(self) -> None:
        self._answer.close()
        if self._connections is not None:
            self._connections.close()


def _must_be_well(answer: Answer) -> None:
    if answer.status < _FIRST_ERROR:
        return
    content = answer.read()
    retry_after = answer.header("Retry-After") or ""
    detail, code = f"The API answered with status {answer.status}.", "unreadable"
    errors: dict[str, str] = {}
    try:
        problem = json.loads(content)
        errors = {str(part["loc"][-1]): str(part["msg"]) for part in problem.get("errors") or ()}
        detail, code = str(problem["detail"]), str(problem["code"])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        pass
    raise ApiRefused(
        detail,
        code,
        answer.status,
        errors=errors,
        retry_after=int(retry_after) if retry_after.isdecimal() else None,
    )
