"""The worker's journal on disk: a file for each process, taken over when its process has died."""

import asyncio
import fcntl
import os
import uuid
from pathlib import Path
from typing import IO

from cattrs.preconf.json import make_converter

from aigen.ports.jobs import Answer, Journal

_json = make_converter()


class FileJournal(Journal):
    """A line for each answer kept, a line for each one discarded, synced one by one.

    Whoever writes a file holds a lock on it; a file whose lock is free belongs to nobody any
    more. A last line that a crash cut short was never promised.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = asyncio.Lock()
        self._answers: list[Answer] = []
        self._file: IO[str] | None = None

    async def keep(self, answer: Answer) -> None:
        async with self._turn:
            await asyncio.to_thread(self._write, answer)
            self._answers.append(answer)

    async def kept(self) -> tuple[Answer, ...]:
        async with self._turn:
            self._answers += await asyncio.to_thread(self._inherit)
            return tuple(self._answers)

    async def discard(self, answer: Answer) -> None:
        async with self._turn:
            if answer in self._answers:
                self._answers.remove(answer)
                await asyncio.to_thread(self._forget, answer)

    def close(self) -> None:
        """Leave the file to whoever comes next, or remove it if it holds nothing."""
        if self._file is not None:
            if not self._answers:
                Path(self._file.name).unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def _write(self, answer: Answer) -> None:
        self._append("+", answer)

    def _forget(self, answer: Answer) -> None:
        if self._answers:
            self._append("-", answer)
        elif self._file is not None:
            self._file.truncate(0)
            os.fsync(self._file.fileno())

    def _append(self, sign: str, answer: Answer) -> None:
        file = self._mine()
        file.write(f"{sign}{_json.dumps(answer)}\n")
        file.flush()
        os.fsync(file.fileno())

    def _mine(self) -> IO[str]:
        if self._file is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = (self._folder / uuid.uuid4().hex).open("a", encoding="utf-8")
            fcntl.flock(self._file, fcntl.LOCK_EX)
            _sync_folder(self._folder)
        return self._file

    def _inherit(self) -> list[Answer]:
        """The answers in files that nobody writes any more; the files are emptied into ours."""
        inherited: list[Answer] = []
        for path in sorted(self._folder.iterdir()) if self._folder.exists() else ():
            with path.open("r+", encoding="utf-8") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                found = _read(file)
                for answer in found:
                    self._write(answer)  # in ours before it is gone from theirs
                inherited += found
                path.unlink()
        return inherited


def _read(file: IO[str]) -> list[Answer]:
    answers: list[Answer] = []
    for line in file.read().split("\n")[:-1]:
        answer = _json.loads(line[1:], Answer)
        if line[0] == "+":
            answers.append(answer)
        elif answer in answers:
            answers.remove(answer)
    return answers


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
