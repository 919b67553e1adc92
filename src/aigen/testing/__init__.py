"""aigen without a network, a disk or the time of day, for those who embed or extend it.

`Harness` is an `Aigen` over adapters in memory, one for each port, which are here too; pytest
finds it as the fixture `aigen_harness`. `aigen.testing.contracts` holds the tests that every
adapter of a port must pass; `aigen.testing.samples` makes values that pass for real ones.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aigen.adapters.local_events import LocalEvents
    from aigen.adapters.memory.clock import ManualClock
    from aigen.adapters.memory.journal import MemoryJournal
    from aigen.adapters.memory.media import MemoryMedia
    from aigen.adapters.memory.provider import MP4, PNG, Script, ScriptedProvider
    from aigen.adapters.memory.security import PlainEmails, PlainPasswords, PlainTokens
    from aigen.adapters.memory.store import MemoryStore
    from aigen.adapters.system_clock import SystemIds
    from aigen.testing.harness import Harness, bare_settings

_HOMES = {
    "MP4": "adapters.memory.provider",
    "PNG": "adapters.memory.provider",
    "Harness": "testing.harness",
    "LocalEvents": "adapters.local_events",
    "ManualClock": "adapters.memory.clock",
    "MemoryJournal": "adapters.memory.journal",
    "MemoryMedia": "adapters.memory.media",
    "MemoryStore": "adapters.memory.store",
    "PlainEmails": "adapters.memory.security",
    "PlainPasswords": "adapters.memory.security",
    "PlainTokens": "adapters.memory.security",
    "Script": "adapters.memory.provider",
    "ScriptedProvider": "adapters.memory.provider",
    "SystemIds": "adapters.system_clock",
    "bare_settings": "testing.harness",
}

__all__ = [
    "MP4",
    "PNG",
    "Harness",
    "LocalEvents",
    "ManualClock",
    "MemoryJournal",
    "MemoryMedia",
    "MemoryStore",
    "PlainEmails",
    "PlainPasswords",
    "PlainTokens",
    "Script",
    "ScriptedProvider",
    "SystemIds",
    "bare_settings",
]


def __getattr__(name: str) -> Any:
    # The contracts alone need neither a container nor a database.
    if name in _HOMES:
        return getattr(import_module(f"aigen.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'aigen.testing' has no attribute {name!r}")
