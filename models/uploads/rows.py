"""Uploads as the database holds them, and what is said where one cannot do what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, Row, and_, or_, select, update

from models.errors import Text, TiduiError
from models.registry.job_tables import upload
from models.tabular.choices import Choices, read_choices

Mode = Literal["good_rows", "all_or_nothing"]
SETTLED = frozenset(["checked", "refused", "imported", "failed", "deleted"])
"""What no worker is going to change by itself."""


class UploadUnknown(TiduiError):
    """There is no such upload, or it is somebody else's, or it was deleted."""

    status = 404


class NotNow(TiduiError):
    """The upload is not where this can be done to it."""

    status = 409


@dataclass(frozen=True, slots=True)
class Upload:
    """One file; ``owner`` as in the audit (``key:…``, ``cli:…``)."""

    id: str
    owner: str
    name: str
    sha256: str
    size: int
    dated: date
    status: str
    mode: Mode | None
    mapping: Mapping[str, Any] | None
    """What its uploader said of its columns, header → {column, unit} or None."""
    report: Mapping[str, Any] | None
    problem: Mapping[str, Any] | None
    edition_id: int | None
    received_at: datetime
    checked_at: datetime | None
    ended_at: datetime | None

    @property
    def choices(self) -> Choices:
        """What the report was made by, and the import is: :mod:`models.tabular.choices`."""
        return read_choices(self.report["choices"]) if self.report else {}


def file_key(upload_id: str) -> str:
    """Where its file lies in the store."""
    return f"uploads/{upload_id}/file"


def errors_key(upload_id: str) -> str:
    """Where its error workbook lies in the store."""
    return f"uploads/{upload_id}/errors.xlsx"


def folder_key(upload_id: str) -> str:
    return f"uploads/{upload_id}"


def find_upload(connection: Connection, upload_id: str, owner: str | None = None) -> Upload:
    """One upload; ``owner`` None sees everybody's. UploadUnknown (U404)."""
    query = select(upload).where(upload.c.id == upload_id, upload.c.status != "deleted")
    if owner is not None:
        query = query.where(upload.c.owner == owner)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UploadUnknown(
            "U404",
            Text("没有这个上传", "there is no such upload"),
            Text(
                "检查编号；只看得到自己上传的，已删除的看不到",
                "Check the id; one sees one's own uploads, not those deleted",
            ),
        )
    return as_upload(row)


def list_uploads(
    connection: Connection, owner: str | None = None, *, after: str | None = None, limit: int = 20
) -> list[Upload]:
    """The newest first, reports left out; ``after`` is the id of the last one of the page before."""
    columns = [column for column in upload.c if column.name not in {"report", "mapping"}]
    query = select(*columns).where(upload.c.status != "deleted")
    if owner is not None:
        query = query.where(upload.c.owner == owner)
    if after is not None:
        last = find_upload(connection, after, owner)
        earlier = upload.c.received_at < last.received_at
        query = query.where(or_(earlier, and_(upload.c.received_at == last.received_at, upload.c.id < after)))
    rows = connection.execute(query.order_by(upload.c.received_at.desc(), upload.c.id.desc()).limit(limit))
    return [as_upload(row) for row in rows]


def as_upload(row: Row[Any]) -> Upload:
    held = row._mapping
    found: dict[str, Any] = {name: held.get(name) for name in Upload.__slots__}
    for name in ("mapping", "report", "problem"):
        found[name] = None if found[name] is None else orjson.loads(found[name])
    return Upload(**found)


def move(connection: Connection, one: Upload, allowed: tuple[str, ...], status: str, **values: Any) -> None:
    """From one of the ``allowed`` states to ``status``, free of any lease. NotNow (U409) if elsewhere."""
    fresh = {"status": status, "lease_until": None, "lease_owner": None, "deliveries": 0}
    done = connection.execute(
        update(upload).where(upload.c.id == one.id, upload.c.status.in_(allowed)).values({**fresh, **values})
    )
    if done.rowcount != 1:
        raise not_now(one.status)


def not_now(status: str) -> NotNow:
    said = STATUS_TEXTS[status]
    return NotNow(
        "U409",
        Text(f"这个上传{said.zh}，现在不能这样做", f"this upload {said.en}: that cannot be done now"),
        Text("读取它的状态，待合适时再试", "Read its status and try again when it is due"),
    )


STATUS_TEXTS: Mapping[str, Text] = {
    "queued": Text("在排队等检查", "waits for its check"),
    "checking": Text("正在检查", "is being checked"),
    "checked": Text("已检查，等确认", "was checked and waits to be confirmed"),
    "refused": Text("被拒绝", "was refused"),
    "confirmed": Text("已确认，等导入", "is confirmed and waits for its import"),
    "importing": Text("正在导入", "is being imported"),
    "imported": Text("已导入", "was imported"),
    "failed": Text("导入失败", "failed in its import"),
    "deleted": Text("已删除", "was deleted"),
}


def problem_of(error: TiduiError) -> dict[str, Any]:
    """A refusal as it is kept and shown."""
    said: dict[str, Any] = {"code": error.code, "zh": error.message.zh, "en": error.message.en}
    if error.hint:
        said |= {"hint_zh": error.hint.zh, "hint_en": error.hint.en}
    return said


def packed(value: Any) -> str:
    """JSON for a text column."""
    return orjson.dumps(value).decode()
