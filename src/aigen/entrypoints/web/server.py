"""The frontend served by waitress, in a thread of its own."""

import socket
import threading
import time
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
        self._connections: dict[int, Any] = {}
        self._server = create_server(
            app,
            map=self._connections,
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
        self._server.trigger.pull_trigger(self._server.del_channel)
        dispatcher = self._server.task_dispatcher
        dispatcher.shutdown(cancel_pending=True, timeout=seconds)
        while self._has_unsent() and time.monotonic() < give_up_at:
            time.sleep(_PAUSE_SECONDS)
        # The loop ends when nothing is left in the map.
        self._server.trigger.pull_trigger(lambda: close_all(self._connections, ignore_all=True))
        self._thread.join(timeout=max(1.0, give_up_at - time.monotonic()))

    def _has_unsent(self) -> bool:
        return any(channel.total_outbufs_len for channel in self._channels())

    def _channels(self) -> list[Any]:
        return list(self._server.active_channels.values())
