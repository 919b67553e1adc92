"""The Flask application."""

import hmac
from functools import lru_cache
from typing import Any

from flask import Flask, url_for
from jinja2 import StrictUndefined

from aigen.entrypoints.web import assets, backend, envelope, errors, forms, guards, wording
from aigen.entrypoints.web.backend import Backend
from aigen.entrypoints.web.cookie import EncryptedCookie
from aigen.entrypoints.web.markdown import to_html
from aigen.entrypoints.web.pages import BLUEPRINTS
from aigen.entrypoints.web.pages.gallery import tools
from aigen.entrypoints.web.settings import WebSettings
from aigen.entrypoints.web.signed_in import user

#: How many are kept, of some 100 bytes and of 1 KiB each.
_ADDRESSES, _TOOLS = 8192, 2048


def create_app(settings: WebSettings) -> Flask:
    """The frontend. It asks the API for everything and may be started before it."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body
    app.session_interface = EncryptedCookie(settings.keys, is_https=settings.is_https)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["markdown"] = to_html
    # A gallery has hundreds of addresses, and shows the same again and again.
    app.jinja_env.globals["url_for"] = lru_cache(_ADDRESSES)(url_for)
    app.jinja_env.globals["tools_of"] = lru_cache(_TOOLS)(tools)
    backend.install(app, Backend.of(settings, _derived(settings, b"renewals")))
    envelope.install(app)
    guards.install(app, settings, _derived(settings, b"forms"))
    errors.install(app)
    wording.install(app)
    forms.install(app)
    assets.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.context_processor(_known_to_every_page)
    return app


def _known_to_every_page() -> dict[str, Any]:
    shared = backend.backend()
    return {
        "user": user(),
        "about": shared.installation.about(),
        "troubles": shared.readiness.troubles,
    }


def _derived(settings: WebSettings, purpose: bytes) -> bytes:
    """A key of its own for each purpose."""
    return hmac.digest(settings.keys[0], purpose, "sha256")
