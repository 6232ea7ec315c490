"""Columns corrected by hand: for one upload, and remembered for its uploader's next ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from models.errors import Text
from models.figures import column_of
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.job_tables import column_choice
from models.settings import Settings
from models.store import store_of
from models.tabular.choices import Choice, Choices
from models.tabular.headers import normal_header, units_of
from models.uploads.rows import Upload, errors_key, find_upload, move, packed

HEADER_LENGTH = 200
OWNER_LENGTH = 80
REMEMBERED = 5_000
Given = Mapping[str, Mapping[str, Any] | None]
"""Header → {column, unit}; None: ignore the column; {}: as it is found out by itself, also next time."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What cannot be said of ``header``."""

    header: str
    code: str
    text: Text


def complaints(given: Given, headers: Sequence[str] | None = None) -> list[Wrong]:
    """What is wrong with a mapping; ``headers`` are those of the file, where they are known."""
    there = None if headers is None else {normal_header(header) for header in headers}
    found = []
    taken: dict[str, str] = {}
    for header, said in given.items():
        column = (said or {}).get("column")
        wrong = _complaint(header, said, there)
        if wrong is None and column:
            other = taken.setdefault(column, header)
            wrong = Wrong(header, "U424", _twice(other)) if other != header else None
        if wrong is not None:
            found.append(wrong)
    return found


def map_columns(
    database: Database,
    settings: Settings,
    upload_id: str,
    given: Given,
    *,
    owner: str | None,
    actor: Actor,
    now: datetime,
) -> Upload:
    """Take a mapping without :func:`complaints`, remember it, queue the check anew. Raises U404, U409."""
    with database.write() as connection:
        one = find_upload(connection, upload_id, owner)
        move(
            connection, one, ("checked", "refused"), "queued",
            mapping=packed(given), report=None, problem=None, checked_at=None,
        )  # fmt: skip
        _remember(connection, one.owner, given, now)
        columns = {header: (said or {}).get("column") for header, said in given.items()}
        append(connection, [actor.event("upload.map", f"upload:{one.id}", columns=columns)], now)
    store_of(settings).delete(errors_key(one.id))
    with database.read() as connection:
        return find_upload(connection, upload_id, owner)


def choices_for(connection: Connection, one: Upload) -> Choices:
    """What is said of headers: for this upload, and besides it what its owner said before."""
    query = select(column_choice).where(column_choice.c.owner == one.owner[:OWNER_LENGTH])
    rows = connection.execute(query.order_by(column_choice.c.chosen_at.desc()).limit(REMEMBERED))
    found = {row.header: Choice(row.column, row.unit) for row in rows}
    return {**found, **chosen(one.mapping or {})}


def chosen(given: Given) -> dict[str, Choice]:
    """A mapping as :mod:`models.tabular.choices` has it."""
    return {
        normal_header(header): Choice(None) if said is None else Choice(said["column"], said.get("unit"))
        for header, said in given.items()
        if said is None or said.get("column")
    }


def _remember(connection: Connection, owner: str, given: Given, now: datetime) -> None:
    short = [normal for header in given if len(normal := normal_header(header)) <= HEADER_LENGTH]
    mine = column_choice.c.owner == owner[:OWNER_LENGTH]
    connection.execute(delete(column_choice).where(mine, column_choice.c.header.in_(short)))
    rows = [
        {"owner": owner[:OWNER_LENGTH], "header": header, "column": one.column, "unit": one.unit,
         "chosen_at": now}
        for header, one in chosen(given).items()
        if header in short
    ]  # fmt: skip
    if rows:
        connection.execute(insert(column_choice), rows)


def _complaint(header: str, said: Mapping[str, Any] | None, there: set[str] | None) -> Wrong | None:
    if not normal_header(header) or (there is not None and normal_header(header) not in there):
        return Wrong(header, "U421", Text("文件里没有这个表头", "the file has no such header"))
    if not said or not said.get("column"):
        return None
    column = column_of(said["column"])
    if column is None:
        return Wrong(
            header,
            "U422",
            Text(
                f"没有“{said['column']}”这一列；写规范列名，如 revenue_2025、uscc、name",
                f"there is no column “{said['column']}”: write revenue_2025, uscc or name, for example",
            ),
        )
    unit, units = said.get("unit"), units_of(column.field)
    if (unit is None and column.field.type == "money") or (unit is not None and unit not in units):
        shown = "、".join(sorted(units)) or "—"
        return Wrong(
            header,
            "U423",
            Text(
                f"{column.label.zh}的单位应是其中之一：{shown}",
                f"{column.label.en} needs one of these units: {shown}",
            ),
        )
    return None


def _twice(other: str) -> Text:
    return Text(f"与“{other}”指定了同一列", f"“{other}” was given the same column")
