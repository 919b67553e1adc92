"""What every provider of texts must do; the fixture `texts` is a Subject with one.

Success is TextAnswer, failures are Refused, NotSent, Misconfigured, Unknown and BadAnswer.
"""

import asyncio
from decimal import Decimal

from aigen.domain.model.texts import TextRequest
from aigen.ports.provider import Failure, TextAnswer, TextDelta, TextProvider
from aigen.testing.contracts.subjects import Subject, check_failure

Texts = Subject[TextProvider, TextRequest]


async def heard(texts: Texts, kind: type) -> list[TextDelta | TextAnswer | Failure]:
    return [piece async for piece in texts.provider.stream(texts.ending(kind))]


def check_answer(answer: object) -> None:
    assert isinstance(answer, TextAnswer), answer
    assert answer.model
    assert answer.text
    usage = answer.usage
    assert usage.prompt_tokens >= 0
    assert usage.completion_tokens >= 0
    assert usage.total_tokens >= usage.prompt_tokens + usage.completion_tokens
    assert answer.cost_usd is None or Decimal(0) <= answer.cost_usd < Decimal("Infinity")


async def test_a_text_is_answered(texts: Texts) -> None:
    check_answer(await texts.provider.complete(texts.ending(TextAnswer)))


async def test_a_stream_is_the_pieces_of_a_text_and_then_the_whole(texts: Texts) -> None:
    *pieces, whole = await heard(texts, TextAnswer)
    check_answer(whole)
    assert isinstance(whole, TextAnswer)
    assert pieces
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)) == whole.text
    assert all(isinstance(piece, TextDelta) and piece.text for piece in pieces)


async def test_many_are_answered_at_a_time(texts: Texts) -> None:
    requests = [texts.ending(TextAnswer) for _ in range(8)]
    for answer in await asyncio.gather(*map(texts.provider.complete, requests)):
        check_answer(answer)


async def test_every_failure_of_a_text_is_a_value(texts: Texts) -> None:
    for kind in texts.endings:
        check_failure(await texts.provider.complete(texts.ending(kind)), kind)


async def test_a_stream_ends_in_exactly_one_failure(texts: Texts) -> None:
    for kind in texts.endings:
        *pieces, end = await heard(texts, kind)
        check_failure(end, kind)
        assert all(isinstance(piece, TextDelta) for piece in pieces)


async def test_who_leaves_a_stream_does_no_harm(texts: Texts) -> None:
    stream = texts.provider.stream(texts.ending(TextAnswer))
    await anext(stream)
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()
    check_answer(await texts.provider.complete(texts.ending(TextAnswer)))
