"""Beginning a run: what it judges is pinned and its parts are laid down, in one transaction."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from models.errors import Text, UsageRefused
from models.plan import plan
from models.registry import rulebooks
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.job_tables import run_part
from models.registry.learned import released_hashes
from models.registry.listing import edition_to_judge
from models.registry.partitions import BUCKETS
from models.registry.state import State, lineage_of, read_state
from models.registry.tables import correction, edition, firm, run, title_list
from models.rules.rulebook import Rulebook
from models.runs.record import ENGINE, Run
from models.settings import Settings

PART_FIRMS = 21_000
"""A part has about so many firms at most: a million are cut into 48 parts, not 64 of three quarters."""
KINDS = ("new", "review")


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that was made now, or the one that already does what was asked (``fresh`` False)."""

    run_id: int
    fresh: bool
    parts: int


def begin_run(
    database: Database,
    settings: Settings,
    *,
    edition_id: int | None = None,
    as_of: date,
    kind: str = "new",
    standards: Sequence[str] | None = None,
    rulebook_hash: str | None = None,
    actor: Actor,
    now: datetime,
) -> Begun:
    """Make a run of an edition (default: the active one), judged by a rulebook (default: the one that ships).

    Then send the task ``sweep`` once: it gives the parts out. While the same question is queued or running
    its run is returned. ``standards``: ids in the order of the result; all by default. Raises NoEdition
    (G003), UsageRefused (G004 no such edition, J001 kind, R404 standard), RulebookUnknown (R061),
    DatabaseAway.
    """
    with database.write() as connection:
        book = rulebooks.to_judge_by(connection, rulebook_hash, now)
        chosen = _chosen(book, standards)
        _check_kind(kind)
        state = read_state(connection)
        number = edition_to_judge(connection, edition_id)
        models = released_hashes(connection)
        key = _active_key(number, as_of, kind, book.hash, chosen, models)
        known = _known(connection, key)
        if known:
            return known
        firms = _firms(connection, state, number)
        values = {
            "edition_id": number,
            "as_of": as_of,
            "kind": kind,
            "rulebook_hash": book.hash,
            "plan_hash": plan().hash,
            "status": "queued",
            "firms": firms,
            "started_at": now,
            "engine": ENGINE,
            "active_key": key,
            "standards": None if chosen is None else orjson.dumps(chosen).decode(),
            "models": orjson.dumps(models).decode() if models else None,
            "requested_by": actor.name,
            "previous_run_id": _previous(connection, state, number),
            "corrections_upto": connection.execute(select(func.max(correction.c.id))).scalar() or 0,
            "lists_upto": connection.execute(select(func.max(title_list.c.id))).scalar() or 0,
        }
        return _insert(connection, values, _parts(firms), actor, now)


def _insert(
    connection: Connection, values: dict[str, Any], parts: list[dict[str, int]], actor: Actor, now: datetime
) -> Begun:
    """The run with its parts; the other's where somebody asked the same at the same moment."""
    try:
        with connection.begin_nested():
            made = connection.execute(
                insert(run).values(parts=len(parts), parts_left=len(parts), **values)
            ).inserted_primary_key
    except IntegrityError:
        known = _known(connection, values["active_key"])
        if known is None:
            raise
        return known
    assert made is not None
    run_id = int(made[0])
    connection.execute(
        insert(run_part), [{"run_id": run_id, "status": "queued", "deliveries": 0, **part} for part in parts]
    )
    event = actor.event(
        "run.begin", f"run:{run_id}", edition=values["edition_id"], as_of=values["as_of"].isoformat(),
        kind=values["kind"], rulebook=values["rulebook_hash"],
    )  # fmt: skip
    append(connection, [event], now)
    return Begun(run_id, True, len(parts))


def _parts(firms: int) -> list[dict[str, int]]:
    """Every bucket in as many slices as keep a part at :data:`PART_FIRMS`."""
    slices = max(1, math.ceil(firms / BUCKETS / PART_FIRMS))
    places = [(bucket, place) for bucket in range(BUCKETS) for place in range(slices)]
    return [
        {"part": number, "bucket": bucket, "slice": place, "slices": slices}
        for number, (bucket, place) in enumerate(places)
    ]


def _chosen(book: Rulebook, standards: Sequence[str] | None) -> list[str] | None:
    if standards is None:
        return None
    return [book[pack_id].id for pack_id in dict.fromkeys(standards)]


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UsageRefused(
            "J001",
            Text(f"没有申报类型“{kind}”", f"there is no kind “{kind}”"),
            Text("写 new（新申报）或 review（复核）", "Give new or review"),
            "kind",
        )


def _firms(connection: Connection, state: State, edition_id: int) -> int:
    """Firms of an edition and its parents: counted for the active one, at most so many for another."""
    if edition_id == state.edition_id:
        asked = select(func.count()).select_from(firm).where(firm.c.edition_id.in_(state.lineage))
    else:
        asked = select(func.sum(edition.c.firms)).where(edition.c.id.in_(lineage_of(connection, edition_id)))
    return int(connection.execute(asked).scalar_one())


def _previous(connection: Connection, state: State, edition_id: int) -> int | None:
    """The run whose standing this one is compared with.

    The last of workers that stood, so that the change feed has no gap: an import judges too, and tells nobody
    who moved. Before there was one, how the edition before stood. An edition that is not active: what stands.
    """
    if edition_id != state.edition_id or state.run_id is None:
        return state.run_id
    stood = select(func.max(run.c.id)).where(run.c.stood_at.is_not(None))
    imported = select(func.max(run.c.id)).where(
        run.c.status == "succeeded", run.c.edition_id != edition_id, run.c.id < state.run_id
    )
    for asked in (stood, imported):
        found: int | None = connection.execute(asked).scalar_one()
        if found is not None:
            return found
    return state.run_id


def _active_key(
    edition_id: int, as_of: date, kind: str, book: str, chosen: list[str] | None, models: dict[str, str]
) -> str:
    question = [edition_id, as_of.isoformat(), kind, book, chosen, sorted(models.items())]
    return hashlib.sha256(orjson.dumps(question)).hexdigest()


def active_key_of(found: Run) -> str:
    """What a run's ``active_key`` is while it is open."""
    chosen = None if found.standards is None else list(found.standards)
    return _active_key(
        found.edition_id, found.as_of, found.kind, found.rulebook_hash, chosen, found.models or {}
    )


def _known(connection: Connection, key: str) -> Begun | None:
    asked = select(run.c.id, run.c.parts).where(run.c.active_key == key)
    row = connection.execute(asked).one_or_none()
    return None if row is None else Begun(row.id, False, row.parts)
