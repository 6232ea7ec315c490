"""Files by key, in a folder or in an S3-compatible store: uploads, editions, results.

A key is a relative path (``runs/7/part-0003.parquet``). A file is put whole or not at all, and what is put
again under the same key takes the place of what was there. Hosts that share nothing but the store see the
same files.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from models.errors import Text, TiduiError
from models.settings import Settings

_KEY = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)*")
_WRITING = ".part"
_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_DENIED = re.compile(
    r"ACCESS_DENIED|AccessDenied|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH|HTTP status 403"
)


class StoreFull(TiduiError):
    """There is no room for the file (T001)."""

    status = 507


class StoreAway(TiduiError):
    """The store cannot be reached, or does not let us in (T002, T004)."""

    status = 503


class NotStored(TiduiError):
    """Nothing lies under the key (T003)."""

    status = 404


class Store(ABC):
    """Where files lie. Safe in threads and, as connections are made per process, after a fork."""

    def __init__(self, place: str) -> None:
        self.place = place
        """The folder or URL, to be shown."""

    @abstractmethod
    def put(self, local: Path, key: str) -> None:
        """Store a copy of ``local``, whole or not at all. Raises StoreFull, StoreAway."""

    @abstractmethod
    def fetch(self, key: str) -> Path:
        """A local file to read, never to change or delete. Raises NotStored, StoreAway."""

    @abstractmethod
    def _files(self) -> fs.FileSystem:
        """The store's own root as a file system."""

    def exists(self, key: str) -> bool:
        with _told(self.place, key):
            return bool(self._files().get_file_info(_checked(key)).type == fs.FileType.File)

    def list(self, prefix: str = "") -> list[str]:
        """The keys of all files below a folder of keys, in order."""
        below = fs.FileSelector(_checked(prefix) if prefix else "", allow_not_found=True, recursive=True)
        with _told(self.place, prefix):
            found = self._files().get_file_info(below)
        return sorted(i.path for i in found if i.type == fs.FileType.File and not i.path.endswith(_WRITING))

    def delete(self, prefix: str) -> None:
        """Remove a file, or all below a folder of keys; nothing there is well too."""
        with _told(self.place, prefix):
            files = self._files()
            kind = files.get_file_info(_checked(prefix)).type
            if kind == fs.FileType.File:
                files.delete_file(prefix)
            elif kind == fs.FileType.Directory:
                files.delete_dir(prefix)


class FolderStore(Store):
    """A folder, of this machine or a shared one."""

    def __init__(self, root: Path) -> None:
        super().__init__(str(root))
        self._root = root

    def put(self, local: Path, key: str) -> None:
        target = self._root / _checked(key)
        if target.exists() and target.samefile(local):
            return
        with _told(self.place, key):
            target.parent.mkdir(parents=True, exist_ok=True)
            with _whole(target) as writing:
                shutil.copyfile(local, writing)

    def fetch(self, key: str) -> Path:
        path = self._root / _checked(key)
        if not path.is_file():
            raise _not_stored(self.place, key)
        return path

    def _files(self) -> fs.FileSystem:
        return fs.SubTreeFileSystem(str(self._root), fs.LocalFileSystem())


class BucketStore(Store):
    """A bucket behind the S3 protocol; what was fetched stays in ``cache``, which may be emptied."""

    def __init__(self, url: str, cache: Path) -> None:
        super().__init__(url.split("?", 1)[0])
        self._url = url
        self._cache = cache

    def put(self, local: Path, key: str) -> None:
        with _told(self.place, _checked(key)), pa.memory_map(str(local)) as file:
            content = file.read_buffer()
            # One write: what fails then leaves no object, for the upload is completed by closing alone.
            with self._files().open_output_stream(key) as stream:
                stream.write(content)

    def fetch(self, key: str) -> Path:
        with _told(self.place, _checked(key)):
            stored = self._files().get_file_info(key)
            if stored.type != fs.FileType.File:
                raise _not_stored(self.place, key)
            return self._cached(stored)

    def delete(self, prefix: str) -> None:
        super().delete(prefix)
        cached = self._cache / prefix
        cached.unlink() if cached.is_file() else shutil.rmtree(cached, ignore_errors=True)

    def _cached(self, stored: fs.FileInfo) -> Path:
        """The copy in the cache, made anew unless it has the size and the time of what is stored."""
        target: Path = self._cache / stored.path
        time = stored.mtime_ns
        if target.is_file():
            kept = target.stat()
            if (kept.st_size, kept.st_mtime_ns) == (stored.size, time):
                return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with _whole(target) as writing:
            with self._files().open_input_stream(stored.path) as stream, writing.open("wb") as file:
                shutil.copyfileobj(stream, file, 2**20)
            if writing.stat().st_size != stored.size:
                raise OSError(errno.EIO, f"{writing.stat().st_size} of {stored.size} bytes came")
            os.utime(writing, ns=(time, time))
        return target

    def _files(self) -> fs.FileSystem:
        return _bucket(self._url, os.getpid())


def store_of(settings: Settings) -> Store:
    """The store of these settings; nothing is opened yet."""
    if settings.store and settings.store.startswith("s3://"):
        return BucketStore(settings.store, settings.data / "cache")
    return FolderStore(Path(settings.store).absolute() if settings.store else settings.data)


@lru_cache(maxsize=8)
def _bucket(url: str, process: int) -> fs.FileSystem:
    """The connection of one process: a client that a fork copied must not be used."""
    files, root = fs.FileSystem.from_uri(url)
    return fs.SubTreeFileSystem(root, files)


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A name beside ``target`` to write at; renamed and on the disk when all went well, gone otherwise."""
    writing = target.with_name(f"{target.name}.{secrets.token_hex(4)}{_WRITING}")
    try:
        yield writing
        with writing.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(writing, target)
    finally:
        writing.unlink(missing_ok=True)


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"no key: {key!r}")
    return key


def _not_stored(place: str, key: str) -> NotStored:
    return NotStored(
        "T003",
        Text(f"存储里没有“{key}”", f"“{key}” is not in the store"),
        Text(
            "可能已被删除；tidui doctor 可检查存储",
            "It may have been deleted; tidui doctor looks over the store",
        ),
        place,
    )


@contextmanager
def _told(place: str, key: str) -> Iterator[None]:
    """Errors of the file system in our own words."""
    try:
        yield
    except FileNotFoundError as error:
        raise _not_stored(place, key) from error
    except (OSError, pa.ArrowException) as error:
        raise _refused(place, key, error) from error


def _refused(place: str, key: str, error: Exception) -> TiduiError:
    if getattr(error, "errno", None) in _NO_ROOM:
        return StoreFull(
            "T001",
            Text(f"存储空间不足，“{key}”没有写入", f"there is no room in the store, “{key}” was not written"),
            Text("清理空间或扩容后会自动重试", "Free some space; the work is then tried again"),
            place,
        )
    if isinstance(error, PermissionError) or _DENIED.search(str(error)):
        return StoreAway(
            "T002",
            Text(f"没有权限读写存储里的“{key}”", f"the store does not let us at “{key}”"),
            Text(
                "检查文件夹权限，或 AWS_ACCESS_KEY_ID、AWS_SECRET_ACCESS_KEY",
                "Check the folder's permissions, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ),
            place,
        )
    return StoreAway(
        "T004",
        Text(f"存储现在用不了（{error}）", f"the store cannot be used now ({error})"),
        Text(
            "检查 TIDUI_STORE 和网络；tidui doctor 可检查",
            "Check TIDUI_STORE and the network; see tidui doctor",
        ),
        place,
    )
