"""Taking a file in: streamed to this machine's disk, put into the store, then a row that says it is there.

Until the row is committed nobody sees anything of it. What a killed process leaves in ``incoming`` is told by
its lock: whoever can take it may clear it away, the copy in the store with it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from models.errors import Text, TiduiError
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.importing import check_dated
from models.registry.job_tables import upload
from models.settings import Settings
from models.store import store_of
from models.uploads.left_over import held
from models.uploads.rows import Upload, as_upload, file_key, folder_key

_UNPRINTABLE = re.compile(r"[\0-\x1f\x7f\ud800-\udfff/\\]+")
_NAME_BYTES = 200
"""A file system's names hold 255, and something is put before this one."""
_FULL = frozenset([errno.ENOSPC, errno.EDQUOT, errno.EFBIG])


class TooLarge(TiduiError):
    """The file is larger than TIDUI_UPLOAD_LIMIT."""

    status = 413


class NoRoom(TiduiError):
    """The disk takes no more of the file."""

    status = 507


@dataclass(frozen=True, slots=True)
class Received:
    """``already``: the same bytes of the same date had been uploaded before by the same owner."""

    upload: Upload
    already: bool


class Incoming:
    """A file while it is being written; what a form's reader takes for a file."""

    def __init__(self, upload_id: str, path: Path, limit: int) -> None:
        self.id = upload_id
        self.path = path
        self.size = 0
        self._limit = limit
        self._hash = hashlib.sha256()
        self._file = path.open("wb", buffering=0)  # what is written late would be refused late

    def write(self, part: bytes) -> int:
        """Raises TooLarge (U413), NoRoom (U507)."""
        self.size += len(part)
        if self.size > self._limit:
            raise too_large(self._limit)
        self._hash.update(part)
        left = memoryview(part)
        with _room():
            while left:
                left = left[self._file.write(left) :]
        return len(part)

    def seek(self, _place: int) -> int:
        """A form's reader rewinds what it has written; nobody reads it here."""
        return 0

    def close(self) -> None:
        """Everything is on the disk when this returns."""
        if not self._file.closed:
            with _room():
                os.fsync(self._file.fileno())
                self._file.close()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def incoming(settings: Settings) -> Iterator[Incoming]:
    """A new file to write into, gone at the end; :func:`keep` stores it before."""
    folder = settings.data / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    upload_id = str(uuid.uuid4())
    with held(folder / f"{upload_id}.held"):
        part = Incoming(upload_id, folder / f"{upload_id}.part", settings.upload_limit)
        try:
            yield part
        finally:
            part._file.close()
            part.path.unlink(missing_ok=True)


def keep(
    database: Database,
    settings: Settings,
    part: Incoming,
    *,
    owner: str,
    name: str,
    dated: date,
    actor: Actor,
    now: datetime,
) -> Received:
    """Store what was written and queue its check. The same bytes of one owner and date are one upload.

    Raises UsageRefused (G005) for a date to come, NoRoom, StoreFull, StoreAway, DatabaseAway.
    """
    check_dated(dated, now)
    part.close()
    with database.read() as connection:
        known = _same(connection, owner, part.sha256, dated)
    if known:
        return Received(known, already=True)
    store = store_of(settings)
    store.put(part.path, file_key(part.id))
    try:
        with database.write() as connection:
            _alone(connection, part.sha256)
            known = _same(connection, owner, part.sha256, dated)
            if not known:
                _enter(connection, part, owner, clean_name(name), dated, now)
                event = actor.event("upload.receive", f"upload:{part.id}", None, part.sha256, file=name)
                append(connection, [event], now)
            found = known or _same(connection, owner, part.sha256, dated)
    except BaseException:
        store.delete(folder_key(part.id))
        raise
    if known:
        store.delete(folder_key(part.id))
    assert found is not None
    return Received(found, already=known is not None)


def clean_name(name: str) -> str:
    """A file's name without its folders, control characters and excess."""
    bare = _UNPRINTABLE.sub(" ", re.split(r"[/\\]", name)[-1]).strip(" .") or "upload"
    encoded = bare.encode()
    if len(encoded) <= _NAME_BYTES:
        return bare
    ending = Path(bare).suffix.encode()[:20]
    return encoded[: _NAME_BYTES - len(ending)].decode(errors="ignore") + ending.decode(errors="ignore")


def _same(connection: Connection, owner: str, sha256: str, dated: date) -> Upload | None:
    """The first upload of these bytes; one that was deleted, or failed by our fault, is not in the way."""
    query = select(upload).where(
        upload.c.owner == owner,
        upload.c.sha256 == sha256,
        upload.c.dated == dated,
        upload.c.status.not_in(("deleted", "failed")),
    )
    found = map(as_upload, connection.execute(query.order_by(upload.c.received_at)))
    return next((one for one in found if not (one.problem or {"code": ""})["code"].startswith("U")), None)


def _alone(connection: Connection, sha256: str) -> None:
    """Nobody else enters these bytes meanwhile. On SQLite there is one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(int(sha256[:15], 16))))


def _enter(connection: Connection, part: Incoming, owner: str, name: str, dated: date, now: datetime) -> None:
    values = {
        "id": part.id, "owner": owner, "name": name, "sha256": part.sha256, "size": part.size,
        "dated": dated, "status": "queued", "received_at": now, "deliveries": 0,
    }  # fmt: skip
    connection.execute(insert(upload).values(values))


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoRoom(
            "U507",
            Text("磁盘空间不足，没有收下这个文件", "the disk is full: the file was not taken"),
            Text("请联系管理员清理磁盘后重传", "Ask the administrator to free some space, then upload again"),
        ) from error


def too_large(limit: int) -> TooLarge:
    """U413; raise it."""
    size = f"{limit / 2**20:,.0f} MB"
    return TooLarge(
        "U413",
        Text(f"文件超过上限 {size}", f"the file is larger than the limit of {size}"),
        Text(
            "分成几份上传，或改存 .parquet；上限由 TIDUI_UPLOAD_LIMIT 设定",
            "Upload it in parts or as .parquet; TIDUI_UPLOAD_LIMIT is the limit",
        ),
    )
