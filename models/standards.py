"""Standards on their own as plain data, whatever the firm: heads, full texts, differences, the ladder."""

from __future__ import annotations

from typing import Any

from models.fields import Field
from models.forms import both
from models.rules.diff import CHANGES, Difference
from models.rules.explain import clause_dict, pack_dict
from models.rules.pack import InForce, Information, Pack
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.rules.size import SizeTable

Plain = dict[str, Any]


def standard_head(pack: Pack, period: Period | None) -> Plain:
    """What a list of standards says of one; ``in_force`` only where a period is given."""
    head: Plain = {
        "id": pack.id,
        "name": both(pack.name),
        "document": {
            "title": pack.document.title,
            "number": pack.document.number,
            "page": pack.document.page,
        },
        "clause": clause_dict(pack.clause),
        "kinds": list(pack.kinds),
        "spans": [_span(span) for span in pack.in_force],
        "programme": pack.programme,
        "pack_hash": pack.hash,
    }
    if period is not None:
        head["in_force"] = pack.in_force_on(period)
    if pack.note:
        head["note"] = both(pack.note)
    if pack.operational:
        head["operational_definition"] = both(pack.operational)
    return head


def standard_dict(pack: Pack, period: Period) -> Plain:
    """One standard in full; a size table with its bounds."""
    told = pack_dict(pack, period)
    if pack.size_table is not None:
        told["size_table"] = _size_table(pack.size_table)
    return told


def field_dict(field: Field) -> Plain:
    """One figure that a firm can have: how it is called and written."""
    return {
        "key": field.key,
        "column": f"{field.key}_2025" if field.yearly else field.key,
        "label": both(field.label),
        "type": field.type,
        "unit": field.unit or None,
        "yearly": field.yearly,
        "when_missing": field.when_missing,
        "options": [{"key": key, "label": both(label)} for key, label in (field.options or {}).items()],
        "range": list(field.range) if field.range else None,
        "note": field.note,
    }


def ladder_dict(book: Rulebook) -> list[Plain]:
    """The rungs with their names, families of standards and titles."""
    return [
        {
            "rung": rung["rung"],
            "name": {"zh": rung["name"][0], "en": rung["name"][1]},
            "families": list(rung.get("standards", ())),
            "titles": list(rung.get("titles", ())),
        }
        for rung in book.ladder["rungs"]
    ]


def difference_dict(difference: Difference) -> Plain:
    """What changed in one condition."""
    return {
        "change": difference.change,
        "change_text": both(CHANGES[difference.change]),
        "before_id": difference.before_id,
        "before": both(difference.before) if difference.before else None,
        "after_id": difference.after_id,
        "after": both(difference.after) if difference.after else None,
    }


def information_dict(item: Information) -> Plain:
    """A voucher that turns on a contract: listed, never judged."""
    return {
        "id": item.id,
        "name": both(item.name),
        "clause": clause_dict(item.clause),
        "who": both(item.who),
        "money": both(item.money),
    }


def _span(span: InForce) -> Plain:
    return {"kind": span.kind, "from": span.start, "to": span.end}


def _size_table(table: SizeTable) -> list[Plain]:
    return [
        {
            "row": row.number,
            "name": both(row.name),
            "confidence": row.confidence,
            "bounds": [
                {
                    "label": both(figure.label),
                    "unit": figure.unit,
                    "large": bound[0],
                    "medium": bound[1],
                    "small": bound[2],
                }
                for figure, bound in zip(table.figures, row.bounds, strict=True)
                if bound is not None
            ],
        }
        for row in table.rows
    ]
