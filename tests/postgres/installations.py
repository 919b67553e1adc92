"""Adapters on a database, open during a block, each as if in a process of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aigen.adapters.local_events import LocalEvents
from aigen.adapters.postgres.database import Database
from aigen.adapters.postgres.events import PostgresEvents
from aigen.adapters.postgres.store import PostgresStore
from aigen.ports.clock import Ids


@asynccontextmanager
async def store_on(url: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(Database(url))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def events_on(url: str, ids: Ids) -> AsyncIterator[PostgresEvents]:
    database = Database(url)
    store = PostgresStore(database)
    await store.open()
    events = PostgresEvents(database, LocalEvents(), ids)
    await events.open()
    try:
        yield events
    finally:
        await events.close()
        await store.close()
