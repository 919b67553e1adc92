"""The space that has to stay free on the disk of the data dir."""

import shutil
import time
from pathlib import Path

_LOOK_EVERY_SECONDS = 1.0


class DiskReserve:
    """At least so many bytes of the disk that `folder` lies on."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self._is_free = True
        self._look_again_at = 0.0

    def is_free(self) -> bool:
        # Asked before every generation; a disk does not fill up from one second to the next.
        now = time.monotonic()
        if now >= self._look_again_at:
            folder = self._folder.absolute()
            there = next(path for path in (folder, *folder.parents) if path.exists())
            self._is_free = shutil.disk_usage(there).free >= self._size
            self._look_again_at = now + _LOOK_EVERY_SECONDS
        return self._is_free
