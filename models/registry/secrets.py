"""Secrets the service makes for itself at first use: files that only its own user can read."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from models.errors import Text, TiduiError
from models.settings import Settings

PEPPER_BYTES = 32


class SecretRefused(TiduiError):
    """A secret that cannot be read, is too short, or lies open to others."""

    status = 500


def pepper(settings: Settings) -> bytes:
    """What API keys are hashed with. Machines that share a database must share it (TIDUI_KEY_PEPPER_FILE)."""
    if settings.key_pepper_file:
        return _checked(settings.key_pepper_file)
    return kept(settings.secrets / "key-pepper", lambda: secrets.token_hex(PEPPER_BYTES).encode())


def kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """The secret in ``path``; made there by ``make`` if there is none. Two processes at once get the same."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent)  # mode 0600 from the beginning
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            _link(Path(name), path)
        finally:
            os.unlink(name)
    return _checked(path)


def _link(made: Path, path: Path) -> None:
    try:
        os.link(made, path)  # whole or not at all, and the first one wins
    except FileExistsError:
        return


def _checked(path: Path) -> bytes:
    try:
        content = path.read_bytes().strip()
    except OSError as error:
        raise SecretRefused(
            "K010",
            Text(f"读不到密钥文件：{error.strerror}", f"the secret cannot be read: {error.strerror}"),
            place=str(path),
        ) from error
    if len(content) < PEPPER_BYTES:
        raise SecretRefused(
            "K011",
            Text("密钥文件太短，至少 32 个字节", "the secret is too short; at least 32 bytes"),
            place=str(path),
        )
    return content
