"""What a process that is ready keeps in memory of what its start has brought there."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MAPS = Path("/proc/self/maps")
#: Linux: these pages are not needed soon; read them from their file if they are.
_MADV_DONTNEED = 4


def settle_in() -> None:
    """To be called when a process is ready.

    The objects that it has loaded stay until its end, so the garbage collector need not look at
    them again and again, which was a fifth of what a text costs. Of the machine code, most has run
    for the only time, half of it DuckDB's: it is let go, which is a quarter of the memory. What is
    needed again comes back from its file.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    with suppress(OSError):  # not Linux
        _let_go_of_code()


def move_out() -> None:
    """To be called when a process ends: what is frozen could not be given back, of which the
    database's binding would complain."""
    gc.unfreeze()


def _let_go_of_code() -> None:
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in _code():
        madvise(start, end - start, _MADV_DONTNEED)  # without effect at worst


def _code() -> Iterator[tuple[int, int]]:
    """Where code from files lies. Nobody has written there, so nothing can be lost."""
    for line in _MAPS.read_text(encoding="utf-8", errors="replace").splitlines():
        addresses, mode, _, _, inode, *_ = line.split()
        if mode == "r-xp" and inode != "0":
            start, end = addresses.split("-")
            yield int(start, 16), int(end, 16)
