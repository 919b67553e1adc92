"""The installation's secrets: from the settings, or made once and kept in the data dir."""

import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen
from pydantic import SecretStr

from aigen.domain.model.errors import CannotStart
from aigen.entrypoints.data_dir import unusable, usable
from aigen.entrypoints.settings import Settings


@frozen(kw_only=True)
class Secrets:
    """`keys` sign tokens, the first one, and verify them, all of them."""

    keys: tuple[str, ...]
    pepper: bytes
    worker_token: str
    operator_token: str
    web_token: str

    @classmethod
    def of(cls, settings: Settings) -> "Secrets":
        """The secrets of an installation. Raises CannotStart if the data dir cannot be used."""

        def value(name: str, given: SecretStr | None) -> str:
            return given.get_secret_value() if given else kept(settings.data_dir, name)

        return cls(
            keys=tuple(value("secret-key", settings.secret_key).split(",")),
            pepper=value("pepper", settings.pepper).encode(),
            worker_token=value("worker-token", settings.worker_token),
            operator_token=value("operator-token", settings.operator_token),
            web_token=value("web-token", settings.web_token),
        )

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """A secret for another purpose from each key, so that none serves two."""
        return derived(self.keys, purpose)


def derived(keys: Sequence[str], purpose: str) -> tuple[bytes, ...]:
    """32 bytes for a purpose from each key."""
    return tuple(hmac.digest(key.encode(), purpose.encode(), "sha256") for key in keys)


def kept(data_dir: Path, name: str) -> str:
    """The secret in the data dir's file of this name; made, with mode 0600, if there is none."""
    file = usable(data_dir) / name
    try:
        _create(file)
        content = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise unusable(data_dir, error) from error
    if not content:
        raise CannotStart(f"The file {file} is empty: restore it, or delete it to get a new one.")
    return content


def _create(file: Path) -> None:
    """Write a new secret unless there is one; whole or not at all, whoever else tries."""
    if file.exists():
        return
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as written:
        written.write(secrets.token_urlsafe(48) + "\n")
        written.flush()
        os.fsync(descriptor)
    try:
        os.link(draft, file)  # fails if another process was quicker: then its secret counts
    except FileExistsError:
        pass
    finally:
        draft.unlink()
