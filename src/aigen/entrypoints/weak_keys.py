"""Keys that anybody could guess are refused before they sign anything."""

import re

_FEWEST_BYTES = 32
_FEWEST_DIFFERENT = 10
_SAMPLE = re.compile(r"change-?me|secret|password|example|default|aigen|test|key", re.IGNORECASE)


def why_weak(key: str) -> str | None:
    """What is wrong with a key, or None: too short, too few different bytes, or hardly more than
    the words of sample configurations, repeated until it is long enough."""
    raw = key.encode(errors="surrogatepass")
    if len(raw) < _FEWEST_BYTES:
        return f"must have at least {_FEWEST_BYTES} bytes"
    if len(set(raw)) < _FEWEST_DIFFERENT:
        return f"must have at least {_FEWEST_DIFFERENT} different bytes"
    words = [word.lower() for word in _SAMPLE.findall(key)]
    is_repeated = len(words) > len(set(words))
    if is_repeated and len(set(_SAMPLE.sub("", key))) < _FEWEST_DIFFERENT:
        return "must not be a repeated sample word"
    return None
