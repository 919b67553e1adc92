"""Every codec of tokens keeps the contract."""

import pytest

from aigen.adapters.jwt_tokens import JwtTokens
from aigen.adapters.memory.clock import ManualClock
from aigen.adapters.memory.security import PlainTokens
from aigen.ports.security import TokenCodec
from aigen.testing.contracts.tokens import *  # noqa: F403


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["plain", "jwt"])
def tokens(request: pytest.FixtureRequest, clock: ManualClock) -> TokenCodec:
    if request.param == "plain":
        return PlainTokens(clock)
    return JwtTokens(["0123456789abcdefghijklmnopqrstuvwxyz"], clock)
