"""The connection to a bucket of S3, or of a service that speaks its language."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import S3Store as Bucket

from aigen.domain.model.errors import NotFound, StorageFull

__all__ = ["Bucket", "asking", "bucket_at", "why"]

logger = logging.getLogger(__name__)

#: What AWS's own tools read from the environment. The first that is set counts.
_VARIABLES = {
    "access_key_id": ("AWS_ACCESS_KEY_ID",),
    "secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
    "session_token": ("AWS_SESSION_TOKEN",),
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
}

#: Why a bucket says no, by the code in its answer, and what to do.
_REASONS = {
    "NoSuchBucket": "there is no such bucket",
    "InvalidAccessKeyId": "its service does not know the key in AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID",
    "ExpiredToken": "AWS_SESSION_TOKEN has expired",
    "InvalidToken": "AWS_SESSION_TOKEN is not valid",
    "AccessDenied": "the key may not get, put, delete and list objects in it",
    "AuthorizationHeaderMalformed": "it lies in another region: set AWS_REGION",
    "PermanentRedirect": "it lies in another region: set AWS_REGION",
}
_METADATA_SERVICE = "169.254.169.254"


def bucket_at(url: str, variables: Mapping[str, str]) -> Bucket:
    """The bucket, and the prefix in it, of `s3://bucket/prefix`.

    `variables` are AWS's: keys, region, endpoint; without keys, those of the machine's role are
    taken. An endpoint is addressed by path, `endpoint/bucket/key`. Nothing is sent yet.
    """
    address = urlsplit(url)
    found: Any = {  # its type is known to type checkers alone
        name: next(variables[each] for each in names if variables.get(each))
        for name, names in _VARIABLES.items()
        if any(variables.get(each) for each in names)
    }
    return Bucket(
        address.netloc,
        prefix=address.path.strip("/") or None,
        config=found,
        client_options={
            "allow_http": found.get("endpoint", "").startswith("http:"),
            "connect_timeout": timedelta(seconds=5),
            # Of a whole answer: that of a large file takes as long as its reader.
            "timeout": timedelta(hours=6),
            "read_timeout": timedelta(seconds=30),
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
    )


@contextmanager
def asking() -> Iterator[None]:
    """A block that asks the bucket for something: what goes wrong is NotFound or StorageFull."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        is_more = re.search("NoSuch(Bucket|Upload)", str(error))
        if isinstance(error, FileNotFoundError | ValueError) and not is_more:
            raise NotFound from error  # with ValueError, no object can be called so
        logger.warning("the bucket of media cannot be used, since %s", why(error))
        raise StorageFull(
            "The storage of files cannot be used at the moment: try again shortly."
        ) from error


def why(error: Exception) -> str:
    """Why the bucket did not do what it was asked, for whoever runs the installation."""
    said = str(error)
    code = re.search(r"<Code>(\w+)</Code>", said)
    if code is not None:
        return _REASONS.get(code[1], f"it answers {code[1]}")
    if _METADATA_SERVICE in said:
        return "there is no key for it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if "Forbidden" in said or "Unauthorized" in said:
        return "its service refuses the key in AWS_ACCESS_KEY_ID"
    return "its service does not answer: check AWS_ENDPOINT_URL and AWS_REGION"
