"""Work nobody works at, files nobody speaks of, editions whose files are gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, func, or_, select

from models.doctor.findings import Finding, ok
from models.errors import Text
from models.jobs.leases import database_now
from models.registry.database import Database
from models.registry.editions import MANIFEST, edition_key
from models.registry.job_tables import impact, run_part, upload
from models.registry.learning_tables import training
from models.registry.tables import edition, run
from models.settings import Settings
from models.store import Store, store_of

WORKING: Sequence[tuple[Table, Sequence[str], Text]] = (
    (run_part, ("running",), Text("评估分片", "parts of runs")),
    (upload, ("checking", "importing"), Text("上传", "uploads")),
    (impact, ("running",), Text("影响分析", "impacts")),
    (training, ("running",), Text("模型训练", "trainings")),
)
NAMED = 5
"""How many files a finding names."""


def lapsed_work(database: Database) -> Iterator[Finding]:
    """Rows that are at work by their status and whose lease has run out; parts that were parked."""
    found = False
    with database.read() as connection:
        now = database_now(connection)
        for table, statuses, what in WORKING:
            lapsed = or_(table.c.lease_until.is_(None), table.c.lease_until < now)
            count = _count(connection, table, and_(table.c.status.in_(statuses), lapsed))
            if count:
                found = True
                yield Finding(
                    "work",
                    "warning",
                    Text(f"{count} 个{what.zh}的租约已过期", f"{count} {what.en} have a lease that ran out"),
                    Text(
                        "巡查会再派发；没有 worker 就启动一个",
                        "The sweep gives them out again; start a worker",
                    ),
                )
        parked = _count(connection, run_part, run_part.c.status == "failed")
    if parked:
        yield Finding(
            "work",
            "warning",
            Text(f"{parked} 个评估分片失败", f"{parked} parts of runs failed"),
            Text("原因见 GET /v1/runs/编号；可重试", "GET /v1/runs/{id} tells why; they can be retried"),
        )
    if not found:
        yield ok("work", "没有无人处理的任务", "no work is left lying")


def files_and_rows(settings: Settings, database: Database) -> Iterator[Finding]:
    """Folders of the store without a row, and editions without their files."""
    store = store_of(settings)
    with database.read() as connection:
        hashes = set(connection.execute(select(edition.c.hash)).scalars())
        ready = connection.execute(select(edition.c.hash).where(edition.c.status == "ready")).scalars().all()
        known = {
            "runs": _ids(connection, run.c.id),
            "uploads": _ids(connection, upload.c.id),
            "editions": hashes,
        }
    strays = [stray for folder, ids in known.items() for stray in _strays(store, folder, ids)]
    if strays:
        named = "、".join(strays[:NAMED]) + (" …" if len(strays) > NAMED else "")
        yield Finding(
            "files",
            "warning",
            Text(
                f"{len(strays)} 处文件没有对应的记录：{named}",
                f"{len(strays)} folders without a row: {named}",
            ),
            Text("核对后可删除", "They may be deleted after a look"),
        )
    lost = [one for one in ready if not store.exists(f"{edition_key(one)}/{MANIFEST}")]
    if lost:
        named = "、".join(one[:12] for one in lost[:NAMED])
        yield Finding(
            "files",
            "error",
            Text(
                f"{len(lost)} 个名册版本的文件不见了：{named}",
                f"the files of {len(lost)} editions are gone: {named}",
            ),
            Text(
                "从备份恢复；细查用 tidui registry verify", "Restore them; tidui registry verify tells more"
            ),
        )
    if not strays and not lost:
        yield ok("files", "文件与记录对得上", "files and rows agree")


def _strays(store: Store, folder: str, known: set[str]) -> Iterator[str]:
    found = {key.split("/")[1] for key in store.list(folder) if key.count("/") > 1}
    yield from (f"{folder}/{name}" for name in sorted(found - known))


def _ids(connection: Connection, column: Column[object]) -> set[str]:
    return {str(found) for found in connection.execute(select(column)).scalars()}


def _count(connection: Connection, table: Table, where: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(where)).scalar_one())
