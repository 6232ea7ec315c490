"""A person's decision about a finding: added to those before it, never over them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from models.errors import Text, UsageRefused
from models.registry.audit import Actor, append
from models.registry.learning_tables import review, review_decision
from models.reviews.kinds import kinds
from models.reviews.queue import review_unknown


def decide(
    connection: Connection,
    review_id: str,
    decision: str,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    district: str | None = None,
) -> None:
    """Within a writing transaction. ``district``: of a key that may see no other.

    Raises ReviewUnknown (V404), UsageRefused (V001: not a decision for this kind).
    """
    asked = select(review).where(review.c.id == review_id).with_for_update()
    row = connection.execute(asked).one_or_none()
    if row is None or district not in (None, row.district):
        raise review_unknown(review_id)
    choices = kinds().decisions[kinds().kinds[row.kind].group]
    if decision not in choices:
        told = "、".join(f"{key}（{text.zh}）" for key, text in choices.items())
        raise UsageRefused(
            "V001",
            Text(f"这类事项不能答“{decision}”", f"“{decision}” is no decision about this kind"),
            Text(f"可选：{told}", f"Choose from: {', '.join(choices)}"),
            "decision",
        )
    made = {"decision": decision, "decided_at": now, "decided_by": actor.name}
    connection.execute(insert(review_decision).values(review_id=review_id, reason=reason, **made))
    connection.execute(update(review).where(review.c.id == review_id).values(made))
    event = actor.event(
        "review.decide", f"review:{review_id}", firm=row.uscc, kind=row.kind, decision=decision,
        was=row.decision, reason=reason,
    )  # fmt: skip
    append(connection, [event], now)
