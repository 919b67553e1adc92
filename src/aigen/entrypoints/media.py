"""Where files lie, as AIGEN_MEDIA_URL says: in a folder of this machine, or in a bucket of S3."""

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from aigen.adapters.media.bucket import Bucket, bucket_at
from aigen.adapters.media.disk import DiskMedia
from aigen.adapters.media.reserve import DiskReserve
from aigen.adapters.media.s3 import S3Media
from aigen.domain.model.errors import CannotStart
from aigen.entrypoints.kinds import BaseUrl
from aigen.entrypoints.settings import Settings, SettingsInvalid
from aigen.ports.media import MediaStore


class _AwsVariables(BaseSettings):
    """How AWS's own tools reach a bucket; read from the environment, then `.env`, as ours are."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )

    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = None
    aws_session_token: str | None = None
    aws_region: str | None = None
    aws_default_region: str | None = None
    aws_endpoint_url_s3: BaseUrl | None = None
    aws_endpoint_url: BaseUrl | None = None


def bucket_of(settings: Settings) -> Bucket | None:
    """The bucket, unless files lie in a folder. Raises SettingsInvalid."""
    if settings.media_bucket is None:
        return None
    try:
        found = _AwsVariables().model_dump(exclude_none=True)
    except ValidationError as error:
        raise SettingsInvalid("AWS_ENDPOINT_URL: must be an http or https address.") from error
    return bucket_at(settings.media_bucket, {name.upper(): value for name, value in found.items()})


def media_of(settings: Settings, bucket: Bucket | None) -> MediaStore:
    """The media store, which has still to be opened."""
    if bucket is None:
        return DiskMedia(settings.media_dir, settings.min_free_disk)
    return S3Media(bucket, DiskReserve(settings.data_dir, settings.min_free_disk))


async def open_media(media: MediaStore) -> None:
    """Make it ready to be used. Raises CannotStart."""
    if isinstance(media, DiskMedia):
        try:
            media.open()
        except OSError as error:
            raise CannotStart(
                f"Files cannot be kept in {error.filename} ({error.strerror}): set AIGEN_MEDIA_URL "
                "to a folder that aigen may write to."
            ) from error
    if isinstance(media, S3Media):
        await media.open()
