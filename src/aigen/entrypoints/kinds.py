"""The kinds of values that settings have: how they are written, and which are refused."""

import re
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer
from pydantic_settings import NoDecode

_UNITS = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def _to_duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    try:
        seconds = float(str(value))
        duration = timedelta(seconds=seconds)
    except (ValueError, OverflowError) as error:
        raise ValueError("must be a number of seconds") from error
    if duration < timedelta(0):
        raise ValueError("must not be negative")
    return duration


def _to_bytes(value: object) -> object:
    found = re.fullmatch(r"(\d+)\s*([a-z]*)", str(value).strip().lower())
    if found is None or found[2] not in _UNITS:
        raise ValueError("must be a number of bytes, or of KiB, MiB or GiB as in `16 MiB`")
    return int(found[1]) * _UNITS[found[2]]


def _to_list(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _to_switch(value: object) -> object:
    return {"on": True, "off": False}.get(str(value).lower(), value)


def _to_base_url(value: str) -> str:
    address = urlsplit(value)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ValueError("must be an http or https address, as in `https://aigen.example.org`")
    if address.query or address.fragment:
        raise ValueError("must be an address without `?` and `#`")
    return value.rstrip("/")


def _to_media_url(value: str) -> str:
    if not re.fullmatch(r"file://.+|s3://[a-z0-9.-]+(/[\w=-]+)*/?", value):
        raise ValueError("must be like `file:///folder` or `s3://bucket/prefix`")
    return value


def _to_network(value: str) -> str:
    try:
        return str(ip_network(value, strict=False))
    except ValueError as error:
        raise ValueError("must be addresses or networks, as in `10.0.0.0/8, ::1`") from error


def _must_be_positive(value: timedelta) -> timedelta:
    if not value:
        raise ValueError("must be more than zero seconds")
    return value


Seconds = Annotated[
    timedelta,
    BeforeValidator(_to_duration),
    PlainSerializer(lambda duration: duration.total_seconds()),
]
SomeSeconds = Annotated[Seconds, AfterValidator(_must_be_positive)]
Bytes = Annotated[int, BeforeValidator(_to_bytes)]
Switch = Annotated[bool, BeforeValidator(_to_switch)]
BaseUrl = Annotated[str, AfterValidator(_to_base_url)]
MediaUrl = Annotated[str, AfterValidator(_to_media_url)]
Listed = Annotated[list[str], NoDecode, BeforeValidator(_to_list)]
Networks = Annotated[
    list[Annotated[str, AfterValidator(_to_network)]],
    NoDecode,
    BeforeValidator(_to_list),
]
Port = Annotated[int, Field(ge=0, le=65535)]
Count = Annotated[int, Field(ge=1)]
