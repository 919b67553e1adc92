"""Style sheets, scripts and icons: read once, compressed once, kept by browsers for a year."""

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath

from attrs import frozen
from flask import Flask, Response, abort, request
from markupsafe import Markup

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"
_VERSION_LENGTH = 12
_ICON = Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>')


@frozen
class Asset:
    content: bytes
    compressed: bytes
    media_type: str

    @classmethod
    def of(cls, name: str, content: bytes) -> "Asset":
        media_type = f"{_TYPES[PurePath(name).suffix]}; charset=utf-8"
        return cls(content, gzip.compress(content, 9, mtime=0), media_type)


class Assets:
    """The files under `static/`. All share one version, a digest of everything, so that modules
    can import each other by relative addresses."""

    def __init__(self) -> None:
        folder = files("aigen.entrypoints.web") / "static"
        self._files = {
            name: Asset.of(name, file.read_bytes())
            for name, file in _walk(folder, "")
            if PurePath(name).suffix in _TYPES
        }
        digest = hashlib.sha256()
        for name, asset in sorted(self._files.items()):
            digest.update(name.encode() + b"\0" + asset.content)
        self.version = digest.hexdigest()[:_VERSION_LENGTH]

    def address(self, name: str) -> str:
        """Where a file is served; a KeyError if there is none."""
        self._files[name]
        return f"/static/{self.version}/{name}"

    def find(self, name: str) -> Asset | None:
        return self._files.get(name)


def install(app: Flask) -> None:
    assets = Assets()
    app.jinja_env.globals["asset"] = assets.address

    @cache
    def icon(name: str) -> Markup:
        return _ICON.format(assets.address("vendor/icons.svg"), name)

    app.jinja_env.globals["icon_of_sprite"] = icon

    def file(version: str, name: str) -> Response:
        asset = assets.find(name)
        if asset is None:
            abort(404)
        may_be_compressed = request.accept_encodings["gzip"] > 0
        response = Response(
            asset.compressed if may_be_compressed else asset.content,
            content_type=asset.media_type,
        )
        response.vary.add("Accept-Encoding")
        if may_be_compressed:
            response.content_encoding = "gzip"
        # A page from before an upgrade gets what there is now, and asks again next time.
        is_current = version == assets.version
        response.headers["Cache-Control"] = _FOR_EVER if is_current else "no-cache"
        return response

    app.add_url_rule("/static/<version>/<path:name>", "static", file)


def _walk(folder: Traversable, path: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        name = path + entry.name
        found += _walk(entry, f"{name}/") if entry.is_dir() else [(name, entry)]
    return found
