"""The variables of AWS that a bucket is reached with; they are not aigen's own settings."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class _Variables(BaseSettings):
    """Read from the environment, then `.env`, as aigen's settings are."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )

    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = None
    aws_session_token: str | None = None
    aws_region: str | None = None
    aws_default_region: str | None = None
    aws_endpoint_url_s3: str | None = None
    aws_endpoint_url: str | None = None


def aws_variables() -> dict[str, str]:
    """Those that are set, by name."""
    found: dict[str, str] = _Variables().model_dump(exclude_none=True)
    return {name.upper(): value for name, value in found.items()}
