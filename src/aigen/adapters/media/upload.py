"""An object that is sent while it is still being received."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import obstore

from aigen.adapters.media.bucket import Bucket, asking
from aigen.domain.model.media import MediaType

#: The least that S3 takes; of ten thousand parts at most, so an object may have 48 GiB.
_PART_BYTES = 5 * 2**20
_PARTS_AT_ONCE = 2


class Upload:
    """The object appears when the block ends; when it fails or is cancelled, nothing does, unless
    that comes when the bucket has already been told to put the parts together.

    The source is read by the task of the caller, so that its timeouts and its cancellation are
    the source's; another task sends, and can therefore still abort the upload.
    """

    def __init__(self, bucket: Bucket, key: str, media_type: MediaType) -> None:
        self._bucket = bucket
        self._key = key
        self._media_type = media_type
        self._pieces = asyncio.Queue[bytes](maxsize=1)
        self._is_broken_off = False

    async def __aenter__(self) -> Self:
        self._sending: asyncio.Future[Any] = asyncio.ensure_future(
            obstore.put_async(
                self._bucket,
                self._key,
                self._handed_on(),
                attributes=headers_of(self._media_type),
                use_multipart=True,
                chunk_size=_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )
        )
        self._sending.add_done_callback(_look_at)
        return self

    async def write(self, piece: bytes) -> None:
        """Hand a piece on, as soon as the one before has been taken. Raises StorageFull."""
        handing = asyncio.ensure_future(self._pieces.put(piece))
        try:
            await asyncio.wait({handing, self._sending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            handing.cancel()
        if self._sending.done():
            with asking():
                self._sending.result()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            await self._break_off()
            return
        try:
            await self.write(b"")
            with asking():
                await asyncio.shield(self._sending)
        except asyncio.CancelledError:
            await self._break_off()
            raise

    async def _break_off(self) -> None:
        self._is_broken_off = True
        if self._pieces.empty():
            self._pieces.put_nowait(b"")
        await asyncio.wait({self._sending})

    async def _handed_on(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) and not self._is_broken_off:
            yield piece
        if self._is_broken_off:
            raise _BrokenOff


class _BrokenOff(Exception):
    """Tells the sender to abort."""


def headers_of(media_type: MediaType) -> dict[str, str]:
    """What the bucket says of an object to a browser."""
    return {
        "Content-Type": media_type.value,
        "Content-Disposition": "inline",
        "Cache-Control": "private, max-age=300",
    }


def _look_at(sending: asyncio.Future[Any]) -> None:
    """An error that nobody waits for any more is no news."""
    if not sending.cancelled():
        sending.exception()
