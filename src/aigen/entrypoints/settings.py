"""Every setting: its variable, its default, what it means, and which values are refused."""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from aigen.domain.model.errors import AigenError
from aigen.entrypoints.kinds import (
    BaseUrl,
    Bytes,
    Count,
    Listed,
    MediaUrl,
    Networks,
    Port,
    Seconds,
    SomeSeconds,
    Switch,
)
from aigen.entrypoints.weak_keys import why_weak


class SettingsInvalid(AigenError):
    """A setting has a value that cannot be used."""

    code = "settings_invalid"


_SHORTEST_TOKEN = 8


class Settings(BaseSettings):
    """Read from arguments, then `AIGEN_…` variables, then `.env`; arguments win.

    Raises SettingsInvalid naming the variable. A field is its variable without the prefix, in
    lower case; durations are seconds, sizes bytes.
    """

    model_config = SettingsConfigDict(
        env_prefix="AIGEN_",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        validate_default=True,
    )

    data_dir: Path = Field(
        Path("aigen-data"), description="database, media and generated secrets (mode 0700)"
    )
    database_url: str | None = Field(
        None,
        description="where the data lies, `postgresql://…` for many processes; "
        "`duckdb:///<data dir>/aigen.duckdb` if not said",
    )
    media_url: MediaUrl | None = Field(
        None,
        description="where files lie; `file://<data dir>/media` if not said. Or "
        "`s3://bucket/prefix`, with AWS's own variables for key, region and endpoint",
    )
    secret_key: SecretStr | None = Field(
        None,
        description="signs tokens and links, at least 32 bytes; generated into the data dir, "
        "but to be set with PostgreSQL. Several, comma-separated: the first signs, the others "
        "only verify",
    )
    api_host: str = Field("127.0.0.1", description="address on which the API listens")
    api_port: Port = Field(8000, description="port on which the API listens; 0 takes a free one")
    web_host: str = Field("127.0.0.1", description="address on which the frontend listens")
    web_port: Port = Field(
        8080, description="port on which the frontend listens; 0 takes a free one"
    )
    api_url: BaseUrl | None = Field(
        None,
        description="where frontend, workers and command line find the API; "
        "`http://<API host>:<API port>` if not said",
    )
    public_url: BaseUrl | None = Field(
        None,
        description="the API as browsers and the provider's webhooks see it; AIGEN_API_URL if "
        "not said",
    )
    web_url: BaseUrl | None = Field(
        None,
        description="the frontend as browsers see it; `http://<web host>:<web port>` if not said",
    )
    worker_token: SecretStr | None = Field(
        None, description="what workers over HTTP show the API; generated into the data dir"
    )
    operator_token: SecretStr | None = Field(
        None, description="what the command line shows the API; generated into the data dir"
    )
    web_token: SecretStr | None = Field(
        None,
        description="what the frontend shows the API, so that the user's address which it passes "
        "on is believed; generated into the data dir",
    )
    pepper: SecretStr | None = Field(
        None,
        description="keyed into every password hash, never to be changed; generated into the "
        "data dir, but to be set with PostgreSQL",
    )
    callback_secret: SecretStr | None = Field(
        None,
        description="the provider's webhook signing secret; callbacks are asked for only with it "
        "and an https AIGEN_PUBLIC_URL",
    )
    admin_email: str | None = Field(
        None, description="with AIGEN_ADMIN_PASSWORD: the first admin, made when there is no user"
    )
    admin_password: SecretStr | None = Field(None, description="see AIGEN_ADMIN_EMAIL")
    registration: Literal["closed", "open"] = Field(
        "closed", description="`open` lets anyone register as a plain user"
    )
    access_token_ttl: SomeSeconds = Field(
        timedelta(seconds=900), description="seconds that an access token lives"
    )
    refresh_token_ttl: SomeSeconds = Field(
        timedelta(days=14), description="seconds after which an idle session ends"
    )
    session_max_age: SomeSeconds = Field(
        timedelta(days=90), description="seconds after which any session ends"
    )
    refresh_reuse_window: Seconds = Field(
        timedelta(seconds=10),
        description="seconds in which a replayed refresh token is refused without ending the "
        "session; 0 forgives nothing",
    )
    refresh_retry_window: Seconds = Field(
        timedelta(seconds=30),
        description="seconds in which the same client (same Idempotency-Key) may repeat a refresh",
    )
    login_failures: Count = Field(
        10, description="failed logins of an account in 15 minutes before waiting begins"
    )
    login_failures_per_address: Count = Field(
        100, description="failed logins from an address in 15 minutes before waiting begins"
    )
    bcrypt_cost: int = Field(12, ge=4, le=20, description="cost of a password hash; 2^cost rounds")
    openrouter_api_key: SecretStr | None = Field(
        None,
        validation_alias="openrouter_api_key",
        description="your key at OpenRouter; without it aigen runs in demo mode",
    )
    openrouter_url: BaseUrl = Field(
        "https://openrouter.ai/api/v1", description="any base address that speaks the contract"
    )
    image_route: Literal["auto", "chat", "images", "generations"] = Field(
        "auto", description="how pictures are asked for; `auto` chooses by model"
    )
    worker_interval: SomeSeconds = Field(
        timedelta(seconds=15), description="seconds between sweeps for queued jobs"
    )
    poll_interval: SomeSeconds = Field(
        timedelta(seconds=15), description="seconds between polls of one job (± 20 %)"
    )
    worker_concurrency: Count = Field(
        64, description="calls of one worker to the provider at a time"
    )
    lease: SomeSeconds = Field(
        timedelta(seconds=60), description="seconds until a silent worker's jobs are taken over"
    )
    job_deadline: SomeSeconds = Field(
        timedelta(seconds=7200), description="seconds from creation until a job must be terminal"
    )
    submit_timeout: SomeSeconds = Field(
        timedelta(seconds=30), description="seconds for handing a video job to the provider"
    )
    text_timeout: SomeSeconds = Field(timedelta(seconds=180), description="seconds for a text")
    image_timeout: SomeSeconds = Field(timedelta(seconds=300), description="seconds for an image")
    max_body: Bytes = Field(16 * 2**20, description="largest request")
    max_media: Bytes = Field(2**30, description="largest file taken from the provider")
    min_free_disk: Bytes = Field(
        64 * 2**20, description="free space below which nothing is submitted"
    )
    jobs_per_user: Count = Field(20, description="unfinished video jobs that a user may have")
    retention_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        0, description="days that texts, images and videos are kept; 0 keeps them for ever"
    )
    retention_bytes_per_user: Bytes = Field(
        0,
        description="files kept of each user, the newest that fit, but anything for a day; 0 "
        "keeps them all",
    )
    docs: Switch = Field(True, description="`on` serves /docs and /openapi.json")
    metrics: Switch = Field(False, description="`on` serves /metrics to admins and the operator")
    trusted_proxies: Networks = Field(
        [], description="addresses whose X-Forwarded-For and X-Forwarded-Proto count"
    )
    cors_origins: Listed = Field([], description="origins that may call the API from a browser")
    shutdown_grace: SomeSeconds = Field(
        timedelta(seconds=45), description="seconds that a shutdown may take"
    )
    log_format: Literal["console", "json"] = Field("console", description="`json` for machines")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least important messages that are logged"
    )

    def __init__(self, **arguments: Any) -> None:
        if unknown := arguments.keys() - type(self).model_fields.keys():
            raise TypeError(f"aigen has no setting called {', '.join(sorted(unknown))}")
        try:
            super().__init__(**arguments)
        except ValidationError as error:
            raise SettingsInvalid(_one_line(error)) from None
        for name in _SHARED if self.postgres_url is not None else ():
            if getattr(self, name) is None:
                raise SettingsInvalid(
                    f"{variable_of(name)}: must be set with PostgreSQL, to the same value for all "
                    "processes."
                )

    # --- what can only be said of the whole -------------------------------------------------

    @field_validator("database_url")
    @classmethod
    def _database_must_be_known(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("duckdb:///", *_POSTGRES)):
            raise ValueError("must begin with `duckdb:///` or `postgresql://`")
        return value

    @field_validator("secret_key")
    @classmethod
    def _keys_must_be_strong(cls, value: SecretStr | None) -> SecretStr | None:
        for key in value.get_secret_value().split(",") if value else ():
            if reason := why_weak(key):
                raise ValueError(reason)
        return value

    @field_validator("worker_token", "operator_token", "web_token")
    @classmethod
    def _tokens_must_be_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_TOKEN:
            raise ValueError(f"must have at least {_SHORTEST_TOKEN} characters")
        return value

    @field_validator("pepper")
    @classmethod
    def _pepper_must_be_strong(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (reason := why_weak(value.get_secret_value())):
            raise ValueError(reason)
        return value

    @property
    def is_demo(self) -> bool:
        """Whether the simulator stands in for the provider."""
        return self.openrouter_api_key is None

    @property
    def has_own_provider(self) -> bool:
        """Whether the address of a provider was given, be it a simulator's."""
        return "openrouter_url" in self.model_fields_set

    @property
    def postgres_url(self) -> str | None:
        """The server's database, if data lies there and not in `database_file`."""
        url = self.database_url
        return url if url is not None and url.startswith(_POSTGRES) else None

    @property
    def database_file(self) -> Path:
        if self.database_url is None or self.postgres_url is not None:
            return self.data_dir / "aigen.duckdb"
        return Path(self.database_url.removeprefix("duckdb:///"))

    @property
    def media_dir(self) -> Path:
        if self.media_url is None or self.media_bucket is not None:
            return self.data_dir / "media"
        return Path(self.media_url.removeprefix("file://"))

    @property
    def media_bucket(self) -> str | None:
        """`s3://bucket/prefix`, if files lie there and not in `media_dir`."""
        return self.media_url if self.media_url and self.media_url.startswith("s3:") else None

    @property
    def api_base(self) -> str:
        return self.api_url or f"http://{_in_url(self.api_host)}:{self.api_port}"

    @property
    def public_base(self) -> str:
        return self.public_url or self.api_base

    @property
    def web_base(self) -> str:
        return self.web_url or f"http://{_in_url(self.web_host)}:{self.web_port}"

    @property
    def callback_base(self) -> str | None:
        """Where the provider's callbacks go, if they can be used."""
        if self.callback_secret is None or not self.public_base.startswith("https://"):
            return None
        return f"{self.public_base}/provider/callback"


#: Secrets that are made and kept in the data dir when they are not set.
GENERATED = frozenset({"secret_key", "pepper", "worker_token", "operator_token", "web_token"})

#: Secrets that all processes of an installation have to know, on whatever machine they are.
_SHARED = ("secret_key", "pepper")

_POSTGRES = ("postgresql://", "postgres://")


def effective(settings: Settings) -> dict[str, str]:
    """The values that count where a setting that is not set follows others."""
    return {
        "database_url": _without_password(settings.postgres_url)
        or f"duckdb:///{settings.database_file}",
        "media_url": settings.media_bucket or f"file://{settings.media_dir}",
        "api_url": settings.api_base,
        "public_url": settings.public_base,
        "web_url": settings.web_base,
    }


def _without_password(url: str | None) -> str | None:
    hidden = r"(?<=[?&]password=)[^&]*|(?<=:)[^:/@]*(?=@)"
    return None if url is None else re.sub(hidden, "***", url)


def variable_of(field: str) -> str:
    """The environment variable of a field."""
    return field.upper() if field == "openrouter_api_key" else f"AIGEN_{field.upper()}"


def _in_url(host: str) -> str:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what to call instead
    return everywhere.get(host, f"[{host}]" if ":" in host else host)


def _one_line(error: ValidationError) -> str:
    """The first thing that is wrong, by the name of its variable; never the value."""
    first = error.errors(include_url=False, include_input=False)[0]
    reason = first["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return f"{variable_of(str(first['loc'][0]))}: {reason}."


def origin_of(field: str, settings: Settings) -> str:
    """Where a field's value comes from: environment, .env, the data dir or the default."""
    if field not in settings.model_fields_set:
        return "generated" if field in GENERATED else "default"
    if os.environ.get(variable_of(field)):
        return "environment"
    return ".env"
