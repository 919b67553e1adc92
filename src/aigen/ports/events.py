"""News of video jobs: wakes workers, feeds those who watch a job. Losing one loses nothing."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from attrs import frozen

from aigen.domain.model.videos import VideoState


@frozen(kw_only=True)
class VideoEvent:
    """A job is now in `state`. `ask_provider` says that the provider has news of it."""

    video_id: str
    state: VideoState
    ask_provider: bool = False


class Subscription(Protocol):
    async def next(self) -> tuple[VideoEvent, ...]:
        """Wait for events; all that came since the last call, oldest first, at least one.

        A slow listener loses the oldest events rather than memory growing without bound.
        """
        ...


class Events(Protocol):
    async def publish(self, *events: VideoEvent) -> None:
        """Tell all listeners, here and in other processes. Never raises, never waits long."""
        ...

    def subscribe(self, video_id: str | None = None) -> AbstractAsyncContextManager[Subscription]:
        """Listen to one job, or to all of them, from the moment the block is entered."""
        ...
