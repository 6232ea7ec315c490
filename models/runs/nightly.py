"""Every night: is the registry's standing still that of today, and if not, judge all firms anew.

The standing is of a day, an edition and a rulebook. It grows old when another edition is active, when rules
were changed, when a pack comes into force or lapses, when a year begins (rules read *last year*), and when a
title runs out: a firm holds it on its last day and no longer on the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from models.errors import Text
from models.jobs.scheduled import record
from models.registry.audit import Actor
from models.registry.database import Database
from models.registry.job_tables import title_expiry
from models.registry.state import State, read_state
from models.registry.tables import correction, title_list
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook, rulebook
from models.runs.begin import Begun, begin_run
from models.runs.record import Run, read_run
from models.settings import Settings

NAME = "nightly"
BEAT = Actor("beat", "service", "beat", "每夜重评")


@dataclass(frozen=True, slots=True)
class Nightly:
    """What a night did: the reasons to judge anew (none: nothing to do), and the run."""

    reasons: tuple[Text, ...]
    begun: Begun | None


def nightly(database: Database, settings: Settings, *, today: date, now: datetime) -> Nightly:
    """Begin a run as of ``today`` where the standing is old, and put down in ``scheduled`` what was done.

    Then send the task ``sweep`` if there is a run. Asked twice in a night it begins one run. Raises
    DatabaseAway.
    """
    with database.read() as connection:
        state = read_state(connection)
        reasons = reasons_to_judge(connection, state, today)
        kind = read_run(connection, state.run_id, any_engine=True).kind if state.run_id else "new"
    begun = None
    if reasons:
        begun = begin_run(database, settings, as_of=today, kind=kind, actor=BEAT, now=now)
    with database.write() as connection:
        record(connection, NAME, now, _result(today, reasons, begun))
    return Nightly(reasons, begun)


def reasons_to_judge(connection: Connection, state: State, today: date) -> tuple[Text, ...]:
    """Why the standing is not that of ``today``; none where the registry is empty."""
    if state.edition_id is None:
        return ()
    if state.run_id is None:
        return (Text("名册还没有评估过", "the registry was never judged"),)
    standing = read_run(connection, state.run_id, any_engine=True)
    reasons = [*_changed(connection, state, standing)]
    if standing.as_of < today:
        reasons += _dated(connection, rulebook(), standing, today)
    return tuple(reasons)


def _changed(connection: Connection, state: State, standing: Run) -> list[Text]:
    """What was changed since."""
    found: list[Text] = []
    if standing.edition_id != state.edition_id:
        found.append(Text("在用的名册换了版本", "another edition is active"))
    elif standing.engine == "inline":
        found.append(Text("新导入的名册还没有整库评估", "a newly imported edition has had no run"))
    if standing.rulebook_hash != rulebook().hash:
        found.append(Text("规则包变了", "the rulebook was changed"))
    pinned = (
        (standing.corrections_upto, correction.c.id, Text("有人工更正", "figures were corrected by hand")),
        (standing.lists_upto, title_list.c.id, Text("有新名单", "a title list was taken in")),
    )
    for upto, column, text in pinned:
        if upto is not None and (connection.execute(select(func.max(column))).scalar() or 0) > upto:
            found.append(text)
    return found


def _dated(connection: Connection, book: Rulebook, standing: Run, today: date) -> list[Text]:
    """What the passing of days changes."""
    found = [
        Text(f"“{pack_id}”的施行状态变了", f"“{pack_id}” came into force or lapsed")
        for pack_id in packs_turning(book, standing.as_of, today, standing.kind)
    ]
    if standing.as_of.year != today.year:
        found.append(Text("新的一年", "a year has begun"))
    columns = title_expiry.c
    ran_out = select(func.count()).where(
        columns.run_id == standing.id, columns.valid_until >= standing.as_of, columns.valid_until < today
    )
    titles = connection.execute(ran_out).scalar_one()
    if titles:
        found.append(Text(f"{titles} 个称号到期", f"{titles} titles ran out"))
    return found


def packs_turning(book: Rulebook, before: date, today: date, kind: str) -> list[str]:
    """Packs that are in force on one of the two days only, or whose family uses another version."""
    old, new = Period(before, kind), Period(today, kind)
    turned = [pack.id for pack in book if pack.in_force_on(old) != pack.in_force_on(new)]
    for family in book.families:
        version = book.version(family, new)
        if version is not None and version != book.version(family, old) and version.id not in turned:
            turned.append(version.id)
    return turned


def _result(today: date, reasons: tuple[Text, ...], begun: Begun | None) -> dict[str, Any]:
    return {
        "as_of": today.isoformat(),
        "reasons": [{"zh": reason.zh, "en": reason.en} for reason in reasons],
        "run": begun.run_id if begun else None,
    }
