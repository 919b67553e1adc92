"""The frontend served by waitress, in a thread of its own."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Flask
from waitress.server import create_server
from waitress.wasyncore import close_all

#: Each request has a thread, and one that generates has it for as long as that takes.
_THREADS = 64
_PAUSE_SECONDS = 0.02


class WebServer:
    """Serves from when it is made until it is drained."""

    def __init__(self, app: Flask, listening: socket.socket, *, max_body: int) -> None:
        self._watched: dict[int, Any] = {}
        self._server = create_server(
            app,
            map=self._watched,
            sockets=[listening],
            threads=_THREADS,
            ident=None,
            channel_timeout=60,
            # Larger ones than the app takes, but not by much, it answers in the site's design.
            max_request_body_size=2 * max_body,
            log_untrusted_proxy_headers=False,
            clear_untrusted_proxy_headers=False,
        )
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)
        self._thread.start()

    def drain(self, seconds: float) -> None:
        """Take no new connection, finish what is being answered, for at most so long."""
        give_up_at = time.monotonic() + seconds
        self._in_loop(self._close_door)
        self._server.task_dispatcher.shutdown(timeout=seconds)
        while self._has_unsent() and time.monotonic() < give_up_at:
            time.sleep(_PAUSE_SECONDS)
        # The loop ends when nothing is left for it to watch. If something else has woken it just
        # now, it does this before we can wake it, and our way of waking it is closed already.
        with suppress(OSError):
            self._in_loop(lambda: close_all(self._watched, ignore_all=True))
        self._thread.join(timeout=1 + max(0, give_up_at - time.monotonic()))

    def _in_loop(self, work: Callable[[], None]) -> None:
        """Do it in the thread that watches the connections."""
        self._server.trigger.pull_trigger(work)

    def _close_door(self) -> None:
        self._server.del_channel()
        self._server.socket.close()

    def _has_unsent(self) -> bool:
        channels = list(self._server.active_channels.values())
        return any(channel.total_outbufs_len for channel in channels)
