"""What a request must satisfy before any page sees it."""

from urllib.parse import urlsplit

from flask import Flask, abort, g, request
from flask_wtf.csrf import CSRFProtect, generate_csrf

from aigen.entrypoints.web.settings import WebSettings

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_OWN_SITE = {"same-origin", "none"}
_DEFAULT_PORTS = {"http": 80, "https": 443}


def install(app: Flask, settings: WebSettings, csrf_key: bytes) -> None:
    """Refuse other hosts, other sites, and forms without the token of their session."""
    own = settings.web_url and _origin(settings.web_url)

    def host_must_be_ours() -> None:
        if own and _origin(f"{own[0]}://{request.host}") != own:
            abort(400, "This server is not known by that name.")

    def is_ours(origin: str) -> bool:
        sender = _origin(origin)
        # Without AIGEN_WEB_URL we cannot know by which scheme a proxy is reached.
        return sender is not None and sender == (own or _origin(f"{sender[0]}://{request.host}"))

    def must_come_from_our_pages() -> None:
        if request.method in _SAFE_METHODS:
            return
        origin = request.headers.get("Origin")
        if (origin is not None and not is_ours(origin)) or request.headers.get(
            "Sec-Fetch-Site", "none"
        ) not in _OWN_SITE:
            abort(400, "This form was sent from another site, so nothing was done.")

    app.before_request(host_must_be_ours)
    app.before_request(must_come_from_our_pages)
    app.config["WTF_CSRF_SECRET_KEY"] = csrf_key
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # a form is good as long as its session
    app.config["WTF_CSRF_SSL_STRICT"] = False  # the origin has been looked at
    CSRFProtect(app)
    app.jinja_env.globals["csrf_token"] = _token


def _token() -> str:
    """The token of this session, made once for a page however many forms it has."""
    if "form_token" not in g:
        g.form_token = generate_csrf()
    token: str = g.form_token
    return token


def _origin(address: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, host and port of an http or https address, None for anything else."""
    try:
        parts = urlsplit(address)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return parts.scheme, parts.hostname, port
