"""What the pages of one process share, and the API without a user."""

from attrs import frozen
from flask import Flask, current_app, g, request

from aigen.adapters.http.client import WEB_TOKEN_HEADER, ApiClient
from aigen.adapters.http.connections import Connections
from aigen.entrypoints.web.about import Installation
from aigen.entrypoints.web.address import ClientAddresses
from aigen.entrypoints.web.models import Catalogue
from aigen.entrypoints.web.readiness import Readiness
from aigen.entrypoints.web.settings import WebSettings
from aigen.entrypoints.web.tokens import Renewals

_EXTENSION = "aigen"


@frozen(kw_only=True, eq=False)
class Backend:
    settings: WebSettings
    api: ApiClient
    renewals: Renewals
    installation: Installation
    readiness: Readiness
    catalogue: Catalogue
    addresses: ClientAddresses

    @classmethod
    def of(cls, settings: WebSettings, renewal_key: bytes) -> "Backend":
        connections = Connections(settings.api_url)
        api = ApiClient(settings.api_url, connections=connections)
        return cls(
            settings=settings,
            api=api,
            renewals=Renewals(renewal_key, settings.retry_window),
            installation=Installation(api),
            readiness=Readiness(connections),
            catalogue=Catalogue(),
            addresses=ClientAddresses(settings.trusted_proxies),
        )

    def speaking_for(self, token: str | None) -> ApiClient:
        """The API for whoever makes this request, told where it comes from."""
        return self.api.speaking_for(
            token,
            {
                "X-Request-ID": g.request_id,
                "X-Forwarded-For": self.addresses.of(request),
                WEB_TOKEN_HEADER: self.settings.web_token,
            },
        )


def install(app: Flask, backend: Backend) -> None:
    app.extensions[_EXTENSION] = backend


def backend() -> Backend:
    found: Backend = current_app.extensions[_EXTENSION]
    return found


def guest_api() -> ApiClient:
    """The API for somebody who has not logged in."""
    return backend().speaking_for(None)
