"""The switches of the simulator: one table of what can be turned and what it does."""

from typing import Any, TypeGuard

import attrs
from attrs import validators

_HELP = "help"


def _switch(default: Any, description: str, *checks: Any) -> Any:
    """A field whose value must have the default's type (floats also take whole numbers)."""
    exact = _one_of_type(type(default)) if default is not None else None
    validator = [check for check in (exact, *checks) if check is not None]
    return attrs.field(default=default, validator=validator, metadata={_HELP: description})


def _one_of_type(kind: type) -> Any:
    def check(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        # bool is an int to isinstance, and `true` polls are a mistake.
        if type(value) is not kind and not (kind is float and type(value) is int):
            message = f"{attribute.name} must be {kind.__name__}, not {value!r}"
            raise TypeError(message)

    return check


def _amount(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if value is not None and not (_is_number(value) and value >= 0):
        message = f"{attribute.name} must be null or a number that is not negative, not {value!r}"
        raise ValueError(message)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if value is not None and not isinstance(value, str):
        message = f"{attribute.name} must be null or a string, not {value!r}"
        raise TypeError(message)


@attrs.frozen(kw_only=True)
class SimulatorOptions:
    """What the simulator does where OpenRouter's contract is silent, varies or can be strained.

    The help text of each switch is in its field's metadata; `OPTIONS_HELP` prints them all.
    """

    # Keys and money
    api_key: str | None = _switch(
        None, "the only good key; null: every key that is not empty is good", _text
    )
    management_key: bool = _switch(
        False, "the key is a management key: GET /credits answers instead of 403"
    )
    credits_usd: float | None = _switch(
        None, "bought credits; once used up, generating answers 402; null: endless", _amount
    )
    key_limit_usd: float | None = _switch(
        None, "spending limit of the key, told by GET /key, 402 beyond; null: none", _amount
    )
    generation_misses: int = _switch(
        1, "how often GET /generation answers 404 before it knows a generation", validators.ge(0)
    )
    error_types: bool = _switch(True, "errors carry metadata.error_type")

    # Texts
    chunk_seconds: float = _switch(
        0.0, "pause between the words of a stream, to make it visible", validators.ge(0)
    )

    # Images
    image_seconds: float = _switch(0.0, "how long drawing an image takes", validators.ge(0))
    legacy_images: bool = _switch(
        False, "POST /images/generations speaks OpenAI's old contract instead of 404"
    )
    legacy_url_seconds: float = _switch(
        3600.0, "how long the url of a legacy image works", validators.ge(0)
    )
    image_bytes: int = _switch(
        0,
        "least size of a PNG; real ones weigh about 2,000,000",
        validators.in_(range(100_000_000)),
    )
    generation_id_on_images: bool = _switch(
        False,
        "POST /images always answers with X-Generation-Id (documented for chat only)",
    )

    # Videos
    video_polls: int = _switch(2, "the poll that finds a video completed", validators.ge(1))
    video_seconds: float | None = _switch(
        None, "videos take so long by the clock, whatever the polls; null: count polls", _amount
    )
    job_id_style: str = _switch(
        "gen-vid",
        "'gen-vid' (gen-vid-<time>-<20 characters>) or 'short' (20 characters)",
        validators.in_(("gen-vid", "short")),
    )
    polling_url_style: str = _switch(
        "relative",
        "'relative' (/api/v1/videos/<id>) or 'absolute'",
        validators.in_(("relative", "absolute")),
    )
    generation_id_at_submit: bool = _switch(False, "the 202 tells generation_id already")
    unsigned_urls: bool = _switch(True, "completed videos have unsigned_urls (need the key)")
    signed_urls: bool = _switch(True, "completed videos have urls (need no key)")
    expires_at: bool = _switch(True, "completed videos tell expires_at")
    content_seconds: float = _switch(
        86_400.0, "how long a completed video can be fetched; then 410", validators.ge(0)
    )
    unfinished_content_status: int = _switch(
        409, "answer to fetching what isn't completed: 409 or 400", validators.in_((400, 409))
    )
    failed_videos_cost: bool = _switch(
        False, "failed, cancelled and expired videos are charged and tell their usage"
    )

    # Webhooks
    webhook_secret: str | None = _switch(
        None, "signs webhooks (X-OpenRouter-Signature); null: they are not signed", _text
    )
    webhook_copies: int = _switch(1, "how often each webhook is delivered", validators.ge(0))
    https_callbacks_only: bool = _switch(
        False, "refuse a callback_url without https, as OpenRouter does"
    )

    # Memory
    journal_entries: int = _switch(10_000, "requests the journal remembers", validators.ge(1))
    finished_jobs: int = _switch(
        5_000, "finished videos remembered; older ones are 404", validators.ge(1)
    )

    def changed(self, changes: dict[str, Any]) -> "SimulatorOptions":
        """The options with some turned; an unknown name or a wrong value raises ValueError."""
        unknown = sorted(set(changes) - set(attrs.fields_dict(SimulatorOptions)))
        if unknown:
            message = f"unknown options: {', '.join(unknown)}"
            raise ValueError(message)
        try:
            return attrs.evolve(self, **changes)
        except TypeError as error:
            raise ValueError(str(error)) from error


def _options_help() -> str:
    fields = attrs.fields(SimulatorOptions)
    width = max(len(field.name) for field in fields)
    lines = [
        f"  {field.name:<{width}}  {field.metadata[_HELP]} (default {field.default!r})"
        for field in fields
    ]
    return "\n".join(["Switches of the simulator:", *lines])


OPTIONS_HELP = _options_help()
