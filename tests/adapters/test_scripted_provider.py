"""The scripted provider: answers that take their time by a clock."""

import asyncio
from datetime import timedelta

import pytest

from aigen.adapters.memory.clock import ManualClock
from aigen.adapters.memory.provider import ScriptedProvider
from aigen.domain.model.texts import TextRequest
from aigen.ports.provider import NotSent, Refused, TextAnswer

REQUEST = TextRequest(model="any", prompt="hello")


async def test_an_answer_comes_when_its_time_has_passed() -> None:
    clock = ManualClock()
    provider = ScriptedProvider(clock)
    refused, later = Refused(reason="no foxes"), NotSent(reason="busy")
    provider.texts.add(refused, after=2)
    provider.texts.add(later, after=timedelta(minutes=1))
    first, second, third = (asyncio.ensure_future(provider.complete(REQUEST)) for _ in range(3))
    await clock.advance(1.9)
    assert isinstance(await third, TextAnswer), "what is not scripted comes at once"
    assert not first.done()
    await clock.advance(0.1)
    assert first.result() == refused
    await clock.advance(57)
    assert not second.done()
    await clock.advance(1)
    assert second.result() == later


def test_without_a_clock_no_answer_can_be_late() -> None:
    with pytest.raises(ValueError, match="clock"):
        ScriptedProvider().texts.add(Refused(reason="no foxes"), after=2)
