"""One OpenRouter key as a service for many people.

    async with Aigen.open(Settings(data_dir="…")) as aigen:
        user = await aigen.users.add("ann@example.org", "a long pass phrase")
        answer = await aigen.texts.generate(user.id, TextRequest(model="…", prompt="…"))

Names are loaded when they are first used, so that `import aigen` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aigen.domain.model.errors import *  # noqa: F403
    from aigen.domain.model.idempotency import IdempotencyKey
    from aigen.domain.model.images import Image, ImageRequest, ImageStatus
    from aigen.domain.model.ledger import Kind
    from aigen.domain.model.media import MediaType, StoredMedia
    from aigen.domain.model.pages import Page, PageRequest
    from aigen.domain.model.texts import Message, Speaker, Text, TextRequest, Usage
    from aigen.domain.model.users import Role, User
    from aigen.domain.model.video_requests import VideoRequest
    from aigen.domain.model.videos import GenerationType, VideoJob, VideoStatus
    from aigen.entrypoints.library import Aigen
    from aigen.entrypoints.settings import Settings, SettingsInvalid
    from aigen.ports.provider import TextDelta
    from aigen.ports.store import HistoryQuery

_HOMES = {
    "Aigen": "entrypoints.library",
    "GenerationType": "domain.model.videos",
    "HistoryQuery": "ports.store",
    "IdempotencyKey": "domain.model.idempotency",
    "Image": "domain.model.images",
    "ImageRequest": "domain.model.images",
    "ImageStatus": "domain.model.images",
    "Kind": "domain.model.ledger",
    "MediaType": "domain.model.media",
    "Message": "domain.model.texts",
    "Page": "domain.model.pages",
    "PageRequest": "domain.model.pages",
    "Role": "domain.model.users",
    "Settings": "entrypoints.settings",
    "SettingsInvalid": "entrypoints.settings",
    "Speaker": "domain.model.texts",
    "StoredMedia": "domain.model.media",
    "Text": "domain.model.texts",
    "TextDelta": "ports.provider",
    "TextRequest": "domain.model.texts",
    "Usage": "domain.model.texts",
    "User": "domain.model.users",
    "VideoJob": "domain.model.videos",
    "VideoRequest": "domain.model.video_requests",
    "VideoStatus": "domain.model.videos",
}

#: Beside these, every error of `aigen.domain.model.errors` is exported under its name.
__all__ = [
    "Aigen",
    "GenerationType",
    "HistoryQuery",
    "IdempotencyKey",
    "Image",
    "ImageRequest",
    "ImageStatus",
    "Kind",
    "MediaType",
    "Message",
    "Page",
    "PageRequest",
    "Role",
    "Settings",
    "SettingsInvalid",
    "Speaker",
    "StoredMedia",
    "Text",
    "TextDelta",
    "TextRequest",
    "Usage",
    "User",
    "VideoJob",
    "VideoRequest",
    "VideoStatus",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("aigen")
    if name in _HOMES:
        return getattr(import_module(f"aigen.{_HOMES[name]}"), name)
    errors = import_module("aigen.domain.model.errors")
    found = getattr(errors, name, None)
    if isinstance(found, type) and issubclass(found, errors.AigenError):
        return found
    raise AttributeError(f"module 'aigen' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
