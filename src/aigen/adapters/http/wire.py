"""How a distant worker and the API write the job board's values as JSON."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from cattrs.preconf.json import make_converter
from cattrs.strategies import configure_tagged_union

from aigen.ports.jobs import Film, NoFilm
from aigen.ports.provider import SubmitOutcome

#: In the answers to leases: the time by which deadlines are counted, as RFC 3339.
TIME_HEADER = "x-aigen-time"

_json = make_converter()
_json.register_unstructure_hook(Decimal, str)
_json.register_structure_hook(Decimal, lambda text, _: Decimal(text))
_json.register_unstructure_hook(timedelta, timedelta.total_seconds)
_json.register_structure_hook(timedelta, lambda seconds, _: timedelta(seconds=seconds))
configure_tagged_union(SubmitOutcome, _json, tag_name="outcome")
configure_tagged_union(Film | NoFilm, _json, tag_name="result")


def dumps(value: Any, kind: Any = None) -> str:
    """A value of the job board as JSON; say the kind where it is one of several."""
    return _json.dumps(value, kind)


def loads(text: str | bytes, kind: Any) -> Any:
    """The value again. Raises ValueError for anything else."""
    try:
        return _json.loads(text, kind)
    except Exception as error:
        raise ValueError(f"this is no {kind}") from error
