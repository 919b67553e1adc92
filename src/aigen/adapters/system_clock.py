"""Real time and real ids."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

import uuid_utils

from aigen.ports.clock import Clock, Ids


class SystemClock(Clock):
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(max(0.0, duration.total_seconds()))


class SystemIds(Ids):
    def new(self) -> str:
        return str(uuid_utils.uuid7())

    def secret(self) -> str:
        return secrets.token_urlsafe(32)
