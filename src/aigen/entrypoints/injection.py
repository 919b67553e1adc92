"""dependency-injector's containers and providers, without the web frameworks that come with them.

Its `containers` import its `wiring`, which looks for FastAPI, Starlette and Werkzeug to work with
and loads those that it finds: a third of a second and tens of megabytes that a library, a worker
or a test has no use for. Here `wiring` is put off until somebody wires, which aigen never does but
a program that embeds it may.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_WIRING = "dependency_injector.wiring"


def _put_off(name: str) -> Any:
    def when_called(*arguments: Any, **options: Any) -> Any:
        return getattr(import_module(_WIRING), name)(*arguments, **options)

    return when_called


def _load_containers() -> None:
    if {_WIRING, "dependency_injector.containers"} & sys.modules.keys():
        return
    stand_in = ModuleType(_WIRING)
    vars(stand_in).update(wire=_put_off("wire"), unwire=_put_off("unwire"))
    sys.modules[_WIRING] = stand_in
    try:
        import_module("dependency_injector.containers")
    finally:
        del sys.modules[_WIRING]


_load_containers()

from dependency_injector import containers, providers  # noqa: E402 - the real ones are loaded now

__all__ = ["containers", "providers"]
