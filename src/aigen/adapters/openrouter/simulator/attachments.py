"""Pictures that a request brings along, as data: or https URLs."""

import base64
import binascii
import hashlib

from aigen.adapters.openrouter.simulator.errors import ApiError
from aigen.adapters.openrouter.simulator.fields import Fields

LARGEST_BYTES = 30 * 1024 * 1024


def attached_image(part: Fields) -> str:
    """A digest of the image of an `image_url` part; bad ones raise the documented errors."""
    if part.text("type") not in {None, "image_url"}:
        raise ApiError(400, f"{part.path}type must be image_url", error_type="invalid_image")
    return image_digest(part.object("image_url").needed_text("url"))


def image_digest(url: str) -> str:
    if url.startswith("data:"):
        return hashlib.sha256(_decoded(url)).hexdigest()
    if url.startswith(("https://", "http://")):
        return hashlib.sha256(url.encode()).hexdigest()  # the simulator downloads nothing
    raise ApiError(400, "Image URLs must be https: or data: URLs", error_type="invalid_image")


def _decoded(url: str) -> bytes:
    header, comma, encoded = url.partition(",")
    if not header.startswith("data:image/"):
        raise ApiError(
            400, f"Unsupported image format: {header[:40]}", error_type="unsupported_image_format"
        )
    if len(encoded) * 3 // 4 > LARGEST_BYTES:
        raise ApiError(413, "Downloaded image content cannot exceed 30MB")
    try:
        content = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        content = b""
    if not comma or not header.endswith(";base64") or not content:
        raise ApiError(400, "The image is not valid base64", error_type="invalid_image")
    return content
