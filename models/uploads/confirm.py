"""Letting an upload in: its uploader confirms, a worker imports it in one step or not at all."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from models.errors import Text, TiduiError
from models.jobs.leases import database_now
from models.registry.audit import Actor, append
from models.registry.database import Database, DatabaseAway
from models.registry.importing import Imported, import_file
from models.registry.lock import Busy
from models.settings import Settings
from models.store import StoreAway, StoreFull, store_of
from models.uploads.rows import Mode, NotNow, Upload, file_key, find_upload, move, packed, problem_of
from models.uploads.turns import IMPORT, Turn, ended, give_back, kept, take_next, take_this

log = logging.getLogger("tidui.uploads")
WITHIN = ("confirmed", "importing", "imported")


def confirm(
    database: Database, upload_id: str, mode: Mode, *, owner: str | None, actor: Actor, now: datetime
) -> Upload:
    """Queue the import of a checked upload; asking again for the same changes nothing.

    Raises U404, U409, U411 where no row can enter, U410 for all_or_nothing with rows rejected.
    """
    with database.write() as connection:
        one = find_upload(connection, upload_id, owner)
        if one.status in WITHIN and one.mode == mode:
            return one
        if one.status == "checked":
            _allow(one, mode)
        move(connection, one, ("checked",), "confirmed", mode=mode, problem=None)
        event = actor.event("upload.confirm", f"upload:{one.id}", mode=mode, sha256=one.sha256)
        append(connection, [event], now)
    with database.read() as connection:
        return find_upload(connection, upload_id, owner)


def import_next(
    database: Database,
    settings: Settings,
    clock: Callable[[], datetime],
    upload_id: str | None = None,
) -> Upload | None:
    """Import the next confirmed upload (or this one), and say what became of it; None where none waits."""
    seconds = settings.lease_seconds
    turn = (
        take_this(database, upload_id, IMPORT, seconds) if upload_id else take_next(database, IMPORT, seconds)
    )
    if turn is None:
        return None
    with kept(database, turn, seconds):
        try:
            done = _import(database, settings, turn, clock())
            _end(database, turn, "imported", edition_id=done.edition_id, problem=None)
        except (Busy, DatabaseAway, StoreAway, StoreFull) as error:
            log.warning("upload %s waits: %s", turn.upload.id, error.message.en)
            give_back(database, turn, IMPORT)
        except TiduiError as error:
            _end(database, turn, "failed", problem=packed(problem_of(error)))
        except Exception:
            log.exception("upload %s could not be imported", turn.upload.id)
            _end(database, turn, "failed", problem=packed(problem_of(_fault())))
    with database.read() as connection:
        return find_upload(connection, turn.upload.id)


def _allow(one: Upload, mode: Mode) -> None:
    counts = (one.report or {})["counts"]
    if not counts["good"]:
        raise NotNow(
            "U411",
            Text("没有一行能导入", "not one row can enter"),
            Text("改好错误表后重传", "Mend the error workbook and upload it again"),
        )
    if mode == "all_or_nothing" and counts["rejected"]:
        raise NotNow(
            "U410",
            Text(
                f"有 {counts['rejected']} 行不合格，整份都没有导入",
                f"{counts['rejected']} rows cannot enter, so nothing goes in",
            ),
            Text(
                "改好错误表后重传，或确认时用 good_rows 先导入合格的行",
                "Mend the error workbook and upload it again, or confirm with good_rows",
            ),
        )


def _import(database: Database, settings: Settings, turn: Turn, now: datetime) -> Imported:
    """The file under its own name, which the edition keeps as its source."""
    one = turn.upload
    path = store_of(settings).fetch(file_key(one.id))
    actor = Actor(one.owner, "worker", "worker", f"upload:{one.id}")
    with tempfile.TemporaryDirectory(prefix="tidui-import-") as folder:
        named = Path(folder) / one.name
        named.symlink_to(path)
        return import_file(
            database, settings, named, dated=one.dated, actor=actor, now=now, choices=one.choices
        )


def _end(database: Database, turn: Turn, status: str, **values: object) -> None:
    with database.write() as connection:
        ended(connection, turn, status=status, ended_at=database_now(connection), **values)


def _fault() -> TiduiError:
    return TiduiError(
        "U502",
        Text("导入时程序出错，企业库没有变动", "a fault of ours while importing; the registry is unchanged"),
        Text("请把上传编号告诉管理员", "Tell the administrator the upload's id"),
    )
