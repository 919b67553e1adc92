"""A journal that dies with the process; for tests, and for those who embed without a disk."""

from aigen.ports.jobs import Answer, Journal


class MemoryJournal(Journal):
    def __init__(self) -> None:
        self._answers: list[Answer] = []

    async def keep(self, answer: Answer) -> None:
        self._answers.append(answer)

    async def kept(self) -> tuple[Answer, ...]:
        return tuple(self._answers)

    async def discard(self, answer: Answer) -> None:
        if answer in self._answers:
            self._answers.remove(answer)
