"""Writing a file whole or not at all.

The result is written beside its final name and moved there when it is complete, so a full disk,
Ctrl-C or an error leaves either the old file or none. :func:`sigterm_as_interrupt` makes SIGTERM
do what Ctrl-C does.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import TiduiError
from models.tabular.issues import refusal

ENDINGS = (".csv", ".xlsx", ".parquet")

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Polars tells of the system's error in words only.
_FULL_WORDS = re.compile(
    r"No space left on device|File too large|[Dd]isk quota exceeded|os error (?:28|27|122)\b"
)
_DENIED_WORDS = re.compile(r"(Permission denied|Read-only file system|Input/output error|os error \d+)")


@contextmanager
def atomic_output(path: Path, source: Path | None = None) -> Iterator[Path]:
    """Yield a hidden path in the folder of ``path``; what is there on leaving becomes ``path``.

    Raises what :func:`check_output` raises, E402 when the disk is full, and E401 for any other
    error of the file system. Whatever is raised, no part file stays behind and a file that stood
    under the final name is untouched.
    """
    check_output(path, source)
    target = path.resolve()
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        _settle(part, target)
    except BaseException as error:
        part.unlink(missing_ok=True)
        refused = _refused(error, path)
        if refused is None:
            raise
        raise refused from error


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Turn SIGTERM into KeyboardInterrupt, in a running query too. For the main thread of a command.

    Polars looks for SIGINT only and Python runs its own handlers only between queries, so a thread
    that the signal wakes passes it on as SIGINT.
    """
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    watcher = threading.Thread(target=_pass_on, args=(woken,), daemon=True)
    former_fd = signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    former = signal.signal(signal.SIGTERM, lambda *_: None)
    watcher.start()
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
        signal.set_wakeup_fd(former_fd)
        os.close(waking)
        watcher.join()
        os.close(woken)


def _pass_on(woken: int) -> None:
    while told := os.read(woken, 1):
        if told[0] == signal.SIGTERM:
            os.kill(os.getpid(), signal.SIGINT)


def check_output(path: Path, source: Path | None = None) -> None:
    """Raise E404, E405 or E401 before any work is done for a result that could not be written."""
    if path.suffix.lower() not in ENDINGS:
        raise refusal("E404", name=path.name)
    if source is not None and _same_file(path, source):
        raise refusal("E405", str(path))
    reason = _obstacle(path)
    if reason:
        raise refusal("E401", str(path), reason=reason)


def _obstacle(path: Path) -> str | None:
    """Why nothing can be written at ``path``, as far as can be told without trying."""
    folder = path.resolve().parent
    if not folder.is_dir():
        return f"没有这个文件夹 no such folder: {folder}"
    if path.is_dir():
        return "这是一个文件夹 it is a folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"文件夹没有写权限 the folder is not writable: {folder}"
    if path.exists() and not os.access(path, os.W_OK):
        return "已有的文件是只读的 the file that is there is read-only"
    return None


def _same_file(path: Path, source: Path) -> bool:
    if path.exists() and source.exists():
        return path.samefile(source)
    return path.resolve() == source.resolve()


def _settle(part: Path, target: Path) -> None:
    """Move the part file to its name, once its bytes are on the disk."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(part, target)


def _refused(error: BaseException, path: Path) -> TiduiError | None:
    """What ``error`` means for the user, or None where it is not about writing."""
    if isinstance(error, TiduiError | KeyboardInterrupt | SystemExit | GeneratorExit):
        return None
    causes = list(_causes(error))
    if any(_is_full(cause) for cause in causes):
        return refusal("E402", str(path))
    for cause in causes:
        denied = _DENIED_WORDS.search(str(cause))
        if isinstance(cause, OSError) or denied:
            reason = getattr(cause, "strerror", None) or (denied[0] if denied else str(cause))
            return refusal("E401", str(path), reason=reason)
    return None


def _is_full(error: BaseException) -> bool:
    return getattr(error, "errno", None) in _FULL or _FULL_WORDS.search(str(error)) is not None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and errors it wraps as an argument (XlsxWriter does)."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__]
        waiting += [argument for argument in cause.args if isinstance(argument, BaseException)]
