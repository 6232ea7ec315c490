"""Titles that run out soon."""

from __future__ import annotations

from datetime import date, timedelta

import orjson
from sqlalchemy import Connection, and_, or_, select

from models.figures import place
from models.registry.job_tables import title_expiry
from models.registry.search.cursor import Mark, broken_cursor, read_mark, write_mark
from models.registry.state import State
from models.registry.tables import firm
from models.runs.page import Page


def expiry_page(
    connection: Connection,
    state: State,
    *,
    within_days: int,
    as_of: date,
    cursor: str | None = None,
    limit: int = 100,
    district: str | None = None,
    title: str | None = None,
) -> Page:
    """Titles whose last day is ``as_of`` or within so many days after it, the soonest first, as the current
    run found them. Raises UsageRefused (R420). Empty where the current run was made by an import.
    """
    columns = title_expiry.c
    question = orjson.dumps(["expiries", state.run_id, as_of.isoformat(), within_days, district, title])
    asked = (
        select(title_expiry, firm.c.name)
        .outerjoin(firm, firm.c.uscc == columns.uscc)
        .where(
            columns.run_id == state.run_id,
            columns.valid_until.between(as_of, as_of + timedelta(days=within_days)),
        )
        .order_by(columns.valid_until, columns.uscc, columns.title)
        .limit(limit + 1)
    )
    if district is not None:
        asked = asked.where(columns.district == district, firm.c.district == district)
    if title is not None:
        asked = asked.where(columns.title == title)
    if cursor is not None:
        last, code, name = _read(read_mark(cursor, question))
        same_day = and_(columns.valid_until == last, columns.uscc > code)
        same_firm = and_(columns.valid_until == last, columns.uscc == code, columns.title > name)
        asked = asked.where(or_(columns.valid_until > last, same_day, same_firm))
    found = connection.execute(asked).all()
    rows = [
        {
            "uscc": row.uscc,
            "name": row.name,
            "district": place(row.district),
            "title": row.title,
            "valid_until": row.valid_until,
            "days_left": (row.valid_until - as_of).days,
        }
        for row in found[:limit]
    ]
    if len(found) <= limit:
        return Page(rows, None)
    last_row = found[limit - 1]
    after = f"{last_row.valid_until.isoformat()} {last_row.uscc} {last_row.title}"
    return Page(rows, write_mark(Mark(0, after), question))


def _read(mark: Mark) -> tuple[date, str, str]:
    """Day, code and title that were shown last. UsageRefused (R420)."""
    try:
        day, code, title = str(mark.after).split(" ")
        return date.fromisoformat(day), code, title
    except ValueError as error:
        raise broken_cursor() from error
