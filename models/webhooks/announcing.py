"""Telling webhooks that the registry's standing has moved.

Needs no memory: a message's id follows from run and webhook, so that looking again finds what is missing and
sends nothing twice, whoever died in between.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, select

from models.jobs.leases import database_now
from models.registry.database import Database
from models.registry.job_tables import movement, webhook, webhook_delivery
from models.registry.tables import edition, run
from models.webhooks.deliveries import claim_due, enqueue, message

WITHIN = timedelta(days=7)
"""Runs that became the standing longer ago are not told of any more."""
_SPACE = uuid.UUID("6a1a55c5-9d53-4c6b-8a37-4a2a0a4f8f0e")
TRACKS = ("recognised", "qualifies", "could_reach")
DISCLAIMER = {"zh": "预评估，不构成认定", "en": "A pre-assessment, not a recognition"}


def give_out(database: Database) -> list[str]:
    """Make the messages that are missing; the ids of all that are to be sent now."""
    announce(database)
    return claim_due(database)


def announce(database: Database) -> list[str]:
    """Make the ``movements`` messages that are missing; their ids."""
    with database.read() as connection:
        missing = _missing(connection, database_now(connection))
    made: list[str] = []
    for id_, to, of in missing:
        with database.write() as connection:
            body = message("movements", of.stood_at, _data(connection, of, to.district))
            made.append(enqueue(connection, to.id, "movements", body, database_now(connection), id=id_))
    return made


def _missing(connection: Connection, now: datetime) -> list[tuple[str, Row[Any], Row[Any]]]:
    hooks = connection.execute(select(webhook).where(webhook.c.disabled_at.is_(None))).all()
    asked = (
        select(run, edition.c.hash)
        .join_from(run, edition)
        .where(run.c.engine == "workers", run.c.stood_at > now - WITHIN)
        .order_by(run.c.id)
    )
    pairs = [
        (str(uuid.uuid5(_SPACE, f"{of.id} {to.id}")), to, of)
        for of in (connection.execute(asked).all() if hooks else ())
        for to in hooks
        if to.made_at <= of.stood_at and "movements" in orjson.loads(to.events)
    ]
    wanted = select(webhook_delivery.c.id).where(webhook_delivery.c.id.in_([id_ for id_, *_ in pairs]))
    there = set(connection.execute(wanted).scalars())
    return [pair for pair in pairs if pair[0] not in there]


def _data(connection: Connection, of: Row[Any], district: str | None) -> Mapping[str, Any]:
    return {
        "run": of.id,
        "as_of": of.as_of,
        "kind": of.kind,
        "edition": of.hash,
        "rulebook": of.rulebook_hash,
        "previous_run": of.previous_run_id,
        "district": district,
        "movements": _counts(connection, of.id, district),
        "link": f"/v1/runs/{of.id}/movements",
        "note": DISCLAIMER,
    }


def _counts(connection: Connection, run_id: int, district: str | None) -> Mapping[str, Any]:
    """How many firms moved: up and down on each track, new and gone."""
    columns = movement.c
    after, before = columns.qualifies_after, columns.qualifies_before
    asked = [_number("new", before.is_(None)), _number("gone", after.is_(None))]
    for track in TRACKS:
        later, earlier = columns[f"{track}_after"], columns[f"{track}_before"]
        asked += [_number(f"{track}.up", later > earlier), _number(f"{track}.down", later < earlier)]
    query = select(func.count().label("firms"), *asked).where(columns.run_id == run_id)
    if district is not None:
        query = query.where(columns.district == district)
    found = connection.execute(query).mappings().one()
    tracks = {track: {way: found[f"{track}.{way}"] for way in ("up", "down")} for track in TRACKS}
    return {"firms": found["firms"], "new": found["new"], "gone": found["gone"], **tracks}


def _number(name: str, condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((and_(condition), 1), else_=0)), 0).label(name)
