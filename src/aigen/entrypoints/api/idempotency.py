"""`Idempotency-Key`: what makes two requests the same, and how a repeat is marked."""

import hashlib
from typing import Annotated, TypeVar

from fastapi import Header, Request, Response
from pydantic import BaseModel

from aigen.domain.model.idempotency import IdempotencyKey
from aigen.domain.services.repeats import Once

T = TypeVar("T")

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="a repeat with the same key gives the result of the first request",
    ),
]


def key_of(
    header: str | None, request: Request, body: BaseModel | bytes | None = None
) -> IdempotencyKey | None:
    """The key with the digest of where it was sent and what with. Whether the answer is
    streamed makes no difference."""
    if header is None:
        return None
    content = body or b""
    if isinstance(content, BaseModel):
        content = content.model_dump_json(exclude={"stream"}).encode()
    said = f"{request.url.path}\n".encode() + content
    return IdempotencyKey(key=header, fingerprint=hashlib.sha256(said).hexdigest())


def unwrapped(once: Once[T], response: Response) -> T:
    """The value; the answer says if it is that of an earlier request."""
    if once.is_replay:
        response.headers["Idempotent-Replay"] = "true"
    return once.value
