"""Standards as plain data, whatever the firm: heads, clauses, conditions, cards; and figures beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.errors import Text
from models.rules.condition import Clause, Condition, Group
from models.rules.pack import Pack
from models.rules.quantity import Figures, Period
from models.rules.required import required_of
from models.rules.sentence import member_text
from models.rules.size import SizeTable
from models.rules.units import machine_unit, show
from models.verdict import DISCLAIMER

Answer = dict[str, Any]
"""Plain data: strings, numbers, lists and dicts (dates are dates), ready for JSON."""


def pack_head(pack: Pack, period: Period) -> Answer:
    """What an answer says of its standard, whatever the firm."""
    head: Answer = {
        "id": pack.id,
        "name": both(pack.name),
        "as_of": period.as_of,
        "kind": period.kind,
        "in_force": pack.in_force_on(period),
        "document": {"title": pack.document.title, "number": pack.document.number},
        "clause": clause_dict(pack.clause),
        "pack_hash": pack.hash,
        "disclaimer": both(DISCLAIMER),
    }
    if pack.note:
        head["note"] = both(pack.note)
    if pack.operational:
        head["operational_definition"] = both(pack.operational)
    return head


def clause_dict(clause: Clause) -> Answer:
    return {
        "document": clause.document,
        "annex": clause.annex,
        "item": clause.item,
        "page": clause.page or None,
        "confidence": clause.confidence,
    }


def shown_rows(pack: Pack, figures: Figures, period: Period) -> list[Answer]:
    """Figures that are shown with a standard and never a condition of it."""
    rows = []
    for item in pack.shown:
        value = item.growth.actual(figures, period)
        points = None if value is None else item.points_for(value)
        rows.append(
            {
                "id": item.id,
                "name": both(item.name),
                "actual": None if value is None else float(value),
                "shown": None if value is None else both(show(float(value), "%")),
                "points": points,
                "unit": machine_unit("%"),
            }
        )
    return rows


def size_rows(table: SizeTable, figures: Figures, period: Period) -> Answer:
    """The sector of the size table and its bounds beside the firm's figures."""
    row = table.row_of(figures.get(table.industry.key))
    if row is None:
        return {"sector": None, "bounds": []}
    bounds = [
        {
            "label": both(field.label),
            "column": period.column(field, 1),
            "actual": figures.get(period.column(field, 1)),
            "unit": field.unit,
            "large": bound[0],
            "medium": bound[1],
            "small": bound[2],
        }
        for field, bound in zip(table.figures, row.bounds, strict=True)
        if bound is not None
    ]
    return {
        "sector": {"row": row.number, "name": both(row.name), "confidence": row.confidence},
        "bounds": bounds,
    }


def both_or_none(text: Text | None) -> Mapping[str, str] | None:
    return None if text is None else both(text)


def both(text: Text) -> Mapping[str, str]:
    return {"zh": text.zh, "en": text.en}


def pack_dict(pack: Pack, period: Period) -> Answer:
    """A standard on its own, as plain data: its head, conditions, card, options and amount."""
    period = pack.effective(period)
    answer = pack_head(pack, period)
    answer["conditions"] = [_member_dict(member, period) for member in pack.root.live(period)]
    if pack.card is not None:
        answer["card"] = [
            {
                "id": part.id,
                "name": both(part.name),
                "max": part.top,
                "indicators": [
                    {
                        "id": indicator.id,
                        "name": both(indicator.name),
                        "max": indicator.top,
                        "rows": [
                            {"text": both(text), "points": points}
                            for text, points in indicator.item.rows(period)
                        ],
                    }
                    for indicator in part.indicators
                ],
            }
            for part in pack.card.parts
        ]
    if pack.options:
        answer["options"] = [_member_dict(member, period) for member in pack.options]
    if pack.programme:
        answer["amount"] = pack.amount and {"at_most": pack.amount.at_most}
    return answer


def _member_dict(member: Condition | Group, period: Period) -> Answer:
    answer: Answer = {
        "id": member.id,
        "text": both(member_text(member, period)),
        "clause": clause_dict(member.clause),
    }
    if isinstance(member, Condition):
        answer["required"] = required_of(member.test, period)
    else:
        answer[member.mode] = [_member_dict(child, period) for child in member.live(period)]
    return answer
