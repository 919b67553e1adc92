"""A browser without scripts: it keeps cookies, finds forms, and sends them as they are."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field, frozen
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

ANN = {"email": "ann@example.org", "password": "correct horse battery"}


@frozen
class Form:
    """A form of a page, with what stands in its fields."""

    browser: "Browser"
    action: str
    fields: dict[str, Any]

    def send(self, **changes: Any) -> "Page":
        return self.browser.post(self.action, {**self.fields, **changes})


@define
class Page:
    """An answer that somebody looks at."""

    browser: "Browser"
    path: str
    response: TestResponse
    forms: list[Form] = field(factory=list)

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def html(self) -> str:
        return self.response.text

    @property
    def text(self) -> str:
        """What can be read on it, in one line."""
        reader = _Reader(self)
        return " ".join(" ".join(reader.words).split())

    def form(self, action: str) -> Form:
        """The form that is sent to this address."""
        found = [form for form in _Reader(self).forms if urlsplit(form.action).path == action]
        assert found, f"no form for {action} on {self.path}: {self.html}"
        return found[0]

    def header(self, name: str) -> str:
        return self.response.headers.get(name, "")


class Browser:
    """Follows redirects unless told not to, and leaves the `Origin` that browsers leave."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}

    def open(
        self, path: str, *, follow: bool = True, headers: dict[str, str] | None = None
    ) -> Page:
        response = self.client.get(path, follow_redirects=follow, headers=headers)
        return Page(self, response.request.full_path.removesuffix("?"), response)

    def post(
        self,
        path: str,
        fields: dict[str, Any],
        *,
        follow: bool = True,
        headers: dict[str, str] | None = None,
    ) -> Page:
        response = self.client.post(
            path, data=fields, follow_redirects=follow, headers=self.headers | (headers or {})
        )
        return Page(self, response.request.full_path.removesuffix("?"), response)

    def log_in(self, email: str = ANN["email"], password: str = ANN["password"]) -> Page:
        page = self.open("/login").form("/login").send(email=email, password=password)
        assert page.status == 200, page.text
        return page

    def cookie(self) -> str:
        found = self.client.get_cookie("aigen")
        assert found is not None
        return found.value

    def give_cookie(self, value: str) -> None:
        self.client.set_cookie("aigen", value)


class _Reader(HTMLParser):
    """Finds forms with their fields, and the words between the tags."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._area: str | None = None
        self._select: str | None = None
        self.feed(page.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form" and given.get("method") == "post":
            action = given.get("action") or self._page.path
            self.forms.append(Form(self._page.browser, action, {}))
        elif not self.forms or not (name or tag == "option"):
            return
        elif tag == "input":
            self._put(name, given.get("value") or "")
        elif tag == "textarea":
            self._area = name
            self._put(name, "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._put(self._select, given["value"] or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._area is not None:
            self._put(self._area, data.removeprefix("\n"))

    def _put(self, name: str, value: str) -> None:
        fields = self.forms[-1].fields
        if name == "turn":
            fields.setdefault(name, []).append(value)
        else:
            fields[name] = value
