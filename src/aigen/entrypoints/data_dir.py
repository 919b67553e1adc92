"""The data dir: made on first use, and of no use if it cannot be written to."""

import errno
import os
from pathlib import Path

from aigen.domain.model.errors import CannotStart


def usable(data_dir: Path) -> Path:
    """The folder, made if there is none. Raises CannotStart if nothing can be written there: better
    at the start than when a journal has to be kept."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(data_dir, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise unusable(data_dir, error) from error
    return data_dir


def unusable(data_dir: Path, error: OSError) -> CannotStart:
    return CannotStart(
        f"The data dir {data_dir} cannot be used ({error.strerror}): set AIGEN_DATA_DIR to a "
        "folder that aigen may write to."
    )
