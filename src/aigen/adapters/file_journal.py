"""The worker's journal in one file, replaced as a whole and synced at each change."""

import asyncio
import os
from pathlib import Path

from cattrs.preconf.json import make_converter

from aigen.ports.jobs import Answer, Journal

_json = make_converter()


class FileJournal(Journal):
    """A line of JSON for each answer."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._turn = asyncio.Lock()

    async def keep(self, answer: Answer) -> None:
        async with self._turn:
            await asyncio.to_thread(self._append, answer)

    async def kept(self) -> tuple[Answer, ...]:
        async with self._turn:
            return tuple(await asyncio.to_thread(self._read))

    async def discard(self, answer: Answer) -> None:
        async with self._turn:
            await asyncio.to_thread(self._rewrite_without, answer)

    def _append(self, answer: Answer) -> None:
        self._write([*self._read(), answer])

    def _rewrite_without(self, answer: Answer) -> None:
        answers = self._read()
        if answer in answers:
            self._write([other for other in answers if other != answer])

    def _read(self) -> list[Answer]:
        if not self._file.exists():
            return []
        lines = self._file.read_text(encoding="utf-8").splitlines()
        return [_json.loads(line, Answer) for line in lines if line.strip()]

    def _write(self, answers: list[Answer]) -> None:
        """Replace the file as a whole, durably: there are never more than a few answers."""
        draft = self._file.with_name(self._file.name + ".new")
        draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as written:
            written.writelines(_json.dumps(answer) + "\n" for answer in answers)
            written.flush()
            os.fsync(written.fileno())
        draft.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
