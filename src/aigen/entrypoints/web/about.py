"""What the API says of the installation."""

from typing import Any

from attrs import fields_dict, frozen

from aigen.adapters.http.client import ApiClient, ApiRefused, ApiUnreachable
from aigen.entrypoints.web.remembered import Remembered


@frozen(kw_only=True)
class About:
    """As `GET /about`; the defaults are what is shown as long as the API has never answered."""

    version: str = ""
    demo: bool = False
    registration: str = "closed"
    media_origin: str = ""
    max_body: int = 0
    retention_days: int | None = None
    retention_bytes_per_user: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether anybody may register."""
        return self.registration == "open"

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "About":
        return cls(**{name: answer[name] for name in fields_dict(cls) if name in answer})


class Installation:
    """Asks now and then, and never fails: pages that say what is wrong need this, too."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._known: Remembered[About] = Remembered()

    def about(self) -> About:
        try:
            return self._known.get(lambda: About.of(self._api.ask("GET", "/about")))
        except (ApiRefused, ApiUnreachable):
            return About()
