"""Checking: take the upload whose turn it is, have a child read it, keep the report or the refusal."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, select

from models.errors import FileRefused, Text, TiduiError
from models.jobs.leases import MOST_DELIVERIES, database_now
from models.registry.database import Database, DatabaseAway
from models.registry.job_tables import upload
from models.settings import Settings
from models.store import NotStored, StoreAway, StoreFull, store_of
from models.uploads.child import Place, Request, Task, ask
from models.uploads.examine import ERRORS
from models.uploads.left_over import scratch
from models.uploads.mapping import choices_for
from models.uploads.rows import Upload, errors_key, file_key, find_upload, folder_key, packed, problem_of
from models.uploads.turns import CHECK, Turn, Work, ended, give_back, kept, take_next, take_this

log = logging.getLogger("tidui.uploads")


def check_next(database: Database, settings: Settings, upload_id: str | None = None) -> Upload | None:
    """Check the next upload (or this one), and say what became of it; None where none waits."""
    seconds = settings.lease_seconds
    turn = (
        take_this(database, upload_id, CHECK, seconds) if upload_id else take_next(database, CHECK, seconds)
    )
    if turn is None:
        return None
    with kept(database, turn, seconds), scratch(settings) as folder:
        try:
            answer = _read(database, settings, turn.upload, "check", folder)
            if answer["errors"]:
                store_of(settings).put(folder / ERRORS, errors_key(turn.upload.id))
            _end(database, settings, turn, "checked", report=packed(answer["report"]))
        except (DatabaseAway, StoreAway, StoreFull) as error:
            log.warning("upload %s waits: %s", turn.upload.id, error.message.en)
            give_back(database, turn, CHECK)
        except (FileRefused, NotStored) as error:
            _end(database, settings, turn, "refused", problem=packed(problem_of(error)))
        except Exception:
            log.exception("upload %s could not be checked", turn.upload.id)
            _end(database, settings, turn, "refused", problem=packed(problem_of(_fault())))
    return _now(database, turn.upload)


def write_errors(database: Database, settings: Settings, upload_id: str) -> bool:
    """Make the error workbook of a checked upload, if it is not there; whether it is now."""
    with database.read() as connection:
        one = find_upload(connection, upload_id)
    if store_of(settings).exists(errors_key(upload_id)):
        return True
    seconds = settings.lease_seconds
    turn = take_this(database, upload_id, _still(one), seconds) if one.report else None
    if turn is None:
        return False
    with kept(database, turn, seconds), scratch(settings) as folder:
        _read(database, settings, turn.upload, "errors", folder)
        store_of(settings).put(folder / ERRORS, errors_key(upload_id))
        _end(database, settings, turn, one.status)
    return True


ErrorBookState = Literal["there", "made", "wanted", "given_up"]


def error_book_state(connection: Connection, settings: Settings, one: Upload) -> ErrorBookState:
    """Whether the workbook is there, being made, yet to be asked for, or could not be made."""
    if store_of(settings).exists(errors_key(one.id)):
        return "there"
    query = select(upload.c.lease_until, upload.c.deliveries).where(upload.c.id == one.id)
    row = connection.execute(query).one()
    if row.lease_until is not None and row.lease_until > database_now(connection):
        return "made"
    return "given_up" if row.deliveries >= MOST_DELIVERIES else "wanted"


def _still(one: Upload) -> Work:
    """A lease that leaves the upload's state as it is."""
    return Work(one.status, one.status, one.status, CHECK.served)


def _read(database: Database, settings: Settings, one: Upload, task: Task, folder: Path) -> dict[str, Any]:
    """Have the child read the file, under the choices of its report or, for a new one, of now."""
    with database.read() as connection:
        choices = one.choices if task == "errors" else choices_for(connection, one)
    place: Place = (str(settings.data), settings.database_url, settings.store)
    path = store_of(settings).fetch(file_key(one.id))
    return ask(Request.of(task, path, one.name, one.dated, folder, choices, place))


def _end(database: Database, settings: Settings, turn: Turn, status: str, **values: Any) -> None:
    with database.write() as connection:
        if "report" in values or "problem" in values:
            values["checked_at"] = database_now(connection)
        done = ended(connection, turn, status=status, **values)
    if not done and _gone(database, turn.upload.id):
        store_of(settings).delete(folder_key(turn.upload.id))  # deleted meanwhile: leave nothing behind


def _gone(database: Database, upload_id: str) -> bool:
    with database.read() as connection:
        query = select(upload.c.status).where(upload.c.id == upload_id)
        return connection.execute(query).scalar_one_or_none() in {None, "deleted"}


def _now(database: Database, one: Upload) -> Upload | None:
    try:
        with database.read() as connection:
            return find_upload(connection, one.id)
    except TiduiError:
        return None  # deleted meanwhile


def _fault() -> TiduiError:
    return TiduiError(
        "U500",
        Text("检查时程序出错", "a fault of ours while checking"),
        Text("请把上传编号告诉管理员", "Tell the administrator the upload's id"),
    )
