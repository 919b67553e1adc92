"""The page that explains the routes: Swagger UI from files of our own."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from aigen.domain.model.errors import NotFound

router = APIRouter(include_in_schema=False)

_STATIC = Path(__file__).parents[1] / "static"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_FILES = {
    "docs.js": ("docs.js", "text/javascript"),
    "swagger-ui-bundle.js": ("vendor/swagger-ui-bundle.js.gz", "text/javascript"),
    "swagger-ui.css": ("vendor/swagger-ui.css.gz", "text/css"),
}


@router.get("/docs")
async def page() -> FileResponse:
    """All addresses in it are relative, so that it may lie behind a proxy's prefix."""
    return FileResponse(
        _STATIC / "docs.html",
        media_type="text/html",
        headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"},
    )


@router.get("/docs/{name}")
async def file(name: str) -> FileResponse:
    """Scripts and styles. What is packed is sent so to all: every browser unpacks it."""
    if name not in _FILES:
        raise NotFound
    place, media_type = _FILES[name]
    headers = {"Cache-Control": "public, max-age=3600"}
    if place.endswith(".gz"):
        headers["Content-Encoding"] = "gzip"
    return FileResponse(_STATIC / place, media_type=media_type, headers=headers)
