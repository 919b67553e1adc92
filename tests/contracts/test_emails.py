"""Every parser of e-mail addresses keeps the contract."""

import pytest

from aigen.adapters.memory.security import PlainEmails
from aigen.adapters.validated_emails import ValidatedEmails
from aigen.ports.security import EmailParser
from aigen.testing.contracts.emails import *  # noqa: F403


@pytest.fixture(params=[PlainEmails, ValidatedEmails])
def emails(request: pytest.FixtureRequest) -> EmailParser:
    parser: EmailParser = request.param()
    return parser
