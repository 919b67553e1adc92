"""The journal on disk, beyond its contract: crashes and neighbours."""

import json
from pathlib import Path

from aigen.adapters.file_journal import FileJournal
from aigen.testing.contracts.journal import an_answer


async def test_the_next_process_takes_over_what_a_dead_one_kept(tmp_path: Path) -> None:
    dead, alive = FileJournal(tmp_path), FileJournal(tmp_path)
    first, second, third = (an_answer() for _ in range(3))
    await dead.keep(first)
    await dead.keep(second)
    await dead.discard(first)
    dead.close()  # as the kernel does for a process that is killed
    await alive.keep(third)
    assert set(await alive.kept()) == {second, third}
    await alive.discard(second)
    await alive.discard(third)
    alive.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_neighbour_that_is_alive_keeps_its_own(tmp_path: Path) -> None:
    neighbour, mine = FileJournal(tmp_path), FileJournal(tmp_path)
    answer = an_answer()
    await neighbour.keep(answer)
    assert await mine.kept() == ()
    assert await neighbour.kept() == (answer,)
    neighbour.close()
    mine.close()


async def test_a_line_that_a_crash_cut_short_was_never_promised(tmp_path: Path) -> None:
    dead, answer = FileJournal(tmp_path), an_answer()
    await dead.keep(answer)
    dead.close()
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text() + "+" + json.dumps({"video_id": "cut"})[:8])
    alive = FileJournal(tmp_path)
    assert await alive.kept() == (answer,)
    alive.close()
