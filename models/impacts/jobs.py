"""Impacts that are asked for: one row each, worked out once, by whichever worker takes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select, update

from models.errors import Text, TiduiError, UsageRefused
from models.impacts.pairs import Comparison, compare, nothing_to_compare
from models.impacts.run import impact_of_registry
from models.jobs.leases import Lease, database_now
from models.jobs.single import Begun, Lost, do_row, open_rows, queue_row
from models.registry import rulebooks
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.job_tables import impact
from models.registry.listing import edition_to_judge
from models.registry.merged import read_registry
from models.registry.state import state_of
from models.rules.pack import KINDS
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook, rulebook
from models.settings import Settings

LEASE_SECONDS = 120
"""Renewed with every piece that is judged."""
_RENEWED_AFTER = timedelta(seconds=20)
Pairs = Sequence[tuple[str, str]]


class ImpactUnknown(TiduiError):
    """There is no such impact (I404)."""

    status = 404


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared. A rulebook None: the one that ships; ``pairs`` None: all that reads differently."""

    as_of: date
    kind: str = "new"
    rulebook_a: str | None = None
    rulebook_b: str | None = None
    pairs: Pairs | None = None
    edition_id: int | None = None
    """None: the active edition."""


def begin_impact(database: Database, asked: Asked, *, actor: Actor, now: datetime) -> Begun:
    """Queue an impact. Then send the task ``impact`` with its id.

    Raises NoEdition (G003), UsageRefused (G004 edition, I001–I003, J001 kind, R404 standard), RulebookUnknown
    (R061), DatabaseAway.
    """
    if asked.kind not in KINDS:
        raise UsageRefused(
            "J001",
            Text(f"没有申报类型“{asked.kind}”", f"there is no kind “{asked.kind}”"),
            Text("写 new（新申报）或 review（复核）", "Give new or review"),
            "kind",
        )
    with database.write() as connection:
        books = [
            rulebooks.to_judge_by(connection, wanted, now) for wanted in (asked.rulebook_a, asked.rulebook_b)
        ]
        if asked.pairs is None and books[0].hash == books[1].hash:
            raise nothing_to_compare()
        compare(books[0], books[1], asked.pairs)
        values = {
            "edition_id": edition_to_judge(connection, asked.edition_id),
            "as_of": asked.as_of,
            "kind": asked.kind,
            "rulebook_a": books[0].hash,
            "rulebook_b": books[1].hash,
            "standards": orjson.dumps(asked.pairs).decode(),
        }
        begun = queue_row(connection, impact, values, requested_by=actor.name, queued_at=now)
        if begun.fresh:
            event = actor.event(
                "impact.begin", f"impact:{begun.id}", edition=values["edition_id"],
                rulebook_a=values["rulebook_a"], rulebook_b=values["rulebook_b"],
            )  # fmt: skip
            append(connection, [event], now)
        return begun


def read_impact(connection: Connection, impact_id: str) -> Row[Any]:
    """The whole row; ImpactUnknown (I404)."""
    row = connection.execute(select(impact).where(impact.c.id == impact_id)).one_or_none()
    if row is None:
        raise ImpactUnknown(
            "I404",
            Text(f"没有影响分析“{impact_id}”", f"there is no impact “{impact_id}”"),
            Text("编号见 POST /v1/impacts 的回答", "POST /v1/impacts answers with its id"),
        )
    return row


def do_impact(database: Database, settings: Settings, impact_id: str, clock: Callable[[], datetime]) -> bool:
    """Work one out. False where there was nothing to do: it is done, another's, or gone.

    A refusal (a file the store lost, a rulebook that was changed) is written down and ends it.
    """
    return do_row(
        database,
        impact,
        impact_id,
        LEASE_SECONDS,
        lambda lease: {"report": _work(database, settings, impact_id, lease)},
        clock,
    )


def open_impacts(database: Database, clock: Callable[[], datetime]) -> list[str]:
    """For the sweep: impacts that nobody works at. One that was given out too often is parked as failed."""
    hint = Text("看 worker 的日志；可重新提交", "See the worker's log; it can be asked for again")
    return open_rows(database, impact, "I005", hint, clock)


def _work(database: Database, settings: Settings, impact_id: str, lease: Lease) -> str:
    with database.read() as connection:
        row = read_impact(connection, impact_id)
        comparison = _comparison(connection, row)
        state = state_of(connection, row.edition_id)
        registry = read_registry(connection, settings, state)
    renewed = lease.until - timedelta(seconds=LEASE_SECONDS)

    def renew(firms: int) -> None:
        nonlocal renewed
        renewed = _renewed(database, impact_id, lease.token, renewed)

    found = impact_of_registry(registry, comparison, Period(row.as_of, row.kind), renew)
    return orjson.dumps(found).decode()


def _comparison(connection: Connection, row: Row[Any]) -> Comparison:
    pairs = orjson.loads(row.standards)
    books = [_known_book(connection, wanted) for wanted in (row.rulebook_a, row.rulebook_b)]
    return compare(books[0], books[1], None if pairs is None else [(a, b) for a, b in pairs])


def _renewed(database: Database, impact_id: str, token: str, last: datetime) -> datetime:
    """Hold on to the row for another while; Lost where it is no longer ours."""
    with database.read() as connection:
        now = database_now(connection)
    if now - last < _RENEWED_AFTER:
        return last
    until = now + timedelta(seconds=LEASE_SECONDS)
    with database.write() as connection:
        mine = (impact.c.id == impact_id) & (impact.c.lease_owner == token)
        if connection.execute(update(impact).where(mine).values(lease_until=until)).rowcount != 1:
            raise Lost
    return now


def _known_book(connection: Connection, wanted: str) -> Rulebook:
    return rulebook() if wanted == rulebook().hash else rulebooks.load(connection, wanted)
