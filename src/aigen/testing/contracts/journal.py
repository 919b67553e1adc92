"""What every journal must do; the fixture `journal` is an empty one."""

from aigen.ports.jobs import Answer, Journal
from aigen.testing.samples import new_id


def an_answer() -> Answer:
    return Answer(video_id=new_id(), nonce="a nonce", provider_job_id="job\n1", polling_url=None)


async def test_what_is_kept_is_there_until_it_is_discarded(journal: Journal) -> None:
    first, second, third = (an_answer() for _ in range(3))
    for answer in (first, second, third):
        await journal.keep(answer)
    assert await journal.kept() == (first, second, third)
    await journal.discard(second)
    assert await journal.kept() == (first, third)
    await journal.discard(first)
    await journal.discard(third)
    assert await journal.kept() == ()


async def test_discarding_what_is_not_there_is_no_error(journal: Journal) -> None:
    await journal.discard(an_answer())
    assert await journal.kept() == ()
