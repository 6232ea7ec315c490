"""The queue of findings, the weightiest first."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from models.errors import Text, TiduiError
from models.figures import column_of, place
from models.forms import both
from models.learn.tasks import tasks
from models.registry.learning_tables import review, review_decision
from models.registry.search.cursor import read_ranked, write_ranked
from models.registry.tables import firm, run
from models.reviews.kinds import kinds
from models.rules.rulebook import rulebook


class ReviewUnknown(TiduiError):
    """There is no such finding (V404)."""

    status = 404


def latest_run(connection: Connection) -> int:
    """The last run that looked for findings and ended; 0 where there is none."""
    asked = select(func.max(run.c.id)).where(run.c.engine == "workers", run.c.stood_at.is_not(None))
    return int(connection.execute(asked).scalar() or 0)


def review_page(
    connection: Connection,
    *,
    kind: str | None = None,
    district: str | None = None,
    uscc: str | None = None,
    status: str = "open",
    cursor: str | None = None,
    limit: int = 100,
) -> tuple[list[dict[str, Any]], str | None, int]:
    """Rows, the cursor to go on with, and how many there are in all; the weightiest first.

    ``status``: ``open`` (found by the last run, undecided or unclear), ``decided``, ``gone`` (no longer
    found, never decided), ``all``. Raises UsageRefused (R420).
    """
    last = latest_run(connection)
    columns = review.c
    wanted = [_status(status, last)]
    wanted += [columns[n] == v for n, v in (("kind", kind), ("district", district), ("uscc", uscc)) if v]
    total = connection.execute(select(func.count()).select_from(review).where(*wanted)).scalar_one()
    question = orjson.dumps(["reviews", last, kind, district, uscc, status])
    if cursor is not None:
        _, weight, shown = read_ranked(cursor, question)
        wanted.append(or_(columns.weight < weight, and_(columns.weight == weight, columns.id > shown)))
    asked = _asked().where(*wanted).order_by(columns.weight.desc(), columns.id).limit(limit + 1)
    found = connection.execute(asked).all()
    rows = [_shown(row, last) for row in found[:limit]]
    if len(found) <= limit:
        return rows, None, total
    end = found[limit - 1]
    return rows, write_ranked(0, end.weight, end.id, question), total


def review_shown(connection: Connection, review_id: str, district: str | None = None) -> dict[str, Any]:
    """One finding with every decision about it, the newest first; by its id or an unambiguous beginning.

    ReviewUnknown (V404).
    """
    asked = _asked().where(review.c.id.startswith(review_id, autoescape=True)).limit(2)
    if district is not None:
        asked = asked.where(review.c.district == district)
    found = connection.execute(asked).all()
    if len(found) != 1:
        raise review_unknown(review_id)
    row = found[0]
    decisions = connection.execute(
        select(review_decision)
        .where(review_decision.c.review_id == row.id)
        .order_by(review_decision.c.id.desc())
    )
    shown = [
        {
            "decision": one.decision,
            "text": both(kinds().decision_text(one.decision)),
            "reason": one.reason,
            "decided_at": one.decided_at,
            "decided_by": one.decided_by,
        }
        for one in decisions
    ]
    return {**_shown(row, latest_run(connection)), "decisions": shown}


def review_unknown(review_id: str) -> ReviewUnknown:
    return ReviewUnknown(
        "V404",
        Text(f"没有待核事项“{review_id[:40]}”", f"there is no review “{review_id[:40]}”"),
        Text("编号见 GET /v1/reviews", "GET /v1/reviews lists them"),
    )


def _status(status: str, last: int) -> ColumnElement[bool]:
    decided = and_(review.c.decision.is_not(None), review.c.decision != "unclear")
    still = review.c.last_run_id >= last
    undecided = or_(review.c.decision.is_(None), review.c.decision == "unclear")
    if status == "open":
        return and_(still, undecided)
    if status == "decided":
        return decided
    if status == "gone":
        return and_(~still, undecided)
    return review.c.id.is_not(None)


def _asked() -> Select[tuple[Any, ...]]:
    return select(review, firm.c.name).outerjoin(firm, firm.c.uscc == review.c.uscc)


def told(kind_id: str, detail: dict[str, Any]) -> dict[str, Any]:
    """What was found, in words and figures: kind, why, figures, and what else there is to it."""
    kind = kinds().kinds[kind_id]
    figures = [_figure(one) for one in detail.get("figures", ())]
    return {
        "kind": {"id": kind.id, "group": kind.group, **both(kind.name)},
        "why": _why(kind.why, detail, figures),
        "figures": figures,
        **{name: detail.get(name) for name in ("ratio", "task", "standard", "verdict", "score")},
    }


def _shown(row: Row[Any], last: int) -> dict[str, Any]:
    kind = kinds().kinds[row.kind]
    decided = row.decision is not None
    return {
        "id": row.id,
        "uscc": row.uscc,
        "name": row.name,
        "district": place(row.district),
        "year": row.year,
        **told(row.kind, orjson.loads(row.detail)),
        "still_found": row.last_run_id >= last,
        "first_run": row.first_run_id,
        "last_run": row.last_run_id,
        "decision": row.decision,
        "decision_text": both(kinds().decision_text(row.decision)) if decided else None,
        "decided_at": row.decided_at,
        "decided_by": row.decided_by,
        "choices": {key: both(text) for key, text in kinds().decisions[kind.group].items()},
        "links": {
            "self": f"/v1/reviews/{row.id}",
            "firm": f"/v1/firms/{row.uscc}",
            "decisions": f"/v1/reviews/{row.id}/decisions",
            "correct": f"/v1/firms/{row.uscc}/facts",
        },
    }


def _figure(one: dict[str, Any]) -> dict[str, Any]:
    column = column_of(one["column"])
    assert column is not None, one
    return {**one, "label": both(column.label), "unit": column.unit}


def _why(template: Text, detail: dict[str, Any], figures: list[dict[str, Any]]) -> dict[str, str]:
    """The template filled in both languages."""
    said: dict[str, Any] = {"count": detail.get("count")}
    if "ratio" in detail:
        said["ratio"] = _number(detail["ratio"])
    for name, figure in zip(("label", "other"), figures, strict=False):
        said |= {name: figure["label"]["zh"], f"{name}_en": figure["label"]["en"]}
    if "task" in detail:
        pack = rulebook().packs.get(detail["standard"])
        standard = Text(detail["standard"], detail["standard"]) if pack is None else pack.name
        task = tasks()[detail["task"]].name
        said |= {
            "standard": standard.zh, "standard_en": standard.en, "task": task.zh, "task_en": task.en,
            "score": f"{detail['score']:.1%}",
        }  # fmt: skip
    return both(Text(template.zh.format_map(said), template.en.format_map(said)))


def _number(value: float) -> str:
    """``19,910``, ``1.5``, ``1/19,570``."""
    if 0 < abs(value) < 0.1:
        return f"{'-' if value < 0 else ''}1/{1 / abs(value):,.0f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
