"""What a run found, added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from models.codes import industries
from models.fields import catalogue
from models.figures import place
from models.forms import both
from models.ladder import rung_names
from models.registry.judging import LADDER
from models.rules.compile import Compiled
from models.rules.explain import member_text
from models.rules.table import CLASS_WORDS, VERDICT_WORDS
from models.runs.drifted import outlook_summary
from models.runs.judges import Judges, judges_of
from models.runs.record import ended_run
from models.tabular.guide import SIZE_WORDS

COMMONEST = 10
"""Conditions shown of a standard, and blank fields shown of all."""
Plain = dict[str, Any]


def run_summary(connection: Connection, run_id: int, district: str | None = None) -> Plain:
    """Counts over a run that has ended: by standard, rung, district, industry section and size; the
    conditions that decide most often; the blank fields that would settle most firms; how far the firms lie
    from those the models learned from. ``district``: that one alone, for keys that may see no other;
    industries, sizes, conditions, blanks and drift are then left out (null).

    RunUnknown (J404), RunConflict (J412: not ended).
    """
    found = ended_run(connection, run_id)
    judges = judges_of(connection, found)
    counts = orjson.loads(found.summary or "{}")
    groups = counts.get("groups", {})
    whole = district is None
    cells = groups.get("all", {}) if whole else groups.get("district", {})
    cell = cells.get(district or "", _nothing(judges))
    conditions = counts.get("conditions", {}) if whole else None
    return {
        "firms": cell["firms"],
        "district": place(district),
        "rungs": _rungs(judges, cell),
        "standards": [
            _standard(judges.judging.standards.compiled[name], cell, conditions) for name in cell["standards"]
        ],
        "by_district": [
            {"district": place(code or None), **_brief(one)}
            for code, one in sorted(groups.get("district", {}).items(), key=lambda pair: (not pair[0], pair))
            if whole or code == district
        ],
        "by_industry": _industries(groups.get("industry", {})) if whole else None,
        "by_size": _sizes(groups.get("size", {})) if whole else None,
        "blanks": _blanks(judges, counts.get("blanks", {})) if whole else None,
        "outlook": outlook_summary(connection, found, counts.get("outlook", {})) if whole else None,
    }


def _nothing(judges: Judges) -> Plain:
    """The cell of no firm at all."""
    standards = judges.judging.standards
    places = {
        name: [0] * len(CLASS_WORDS if standards.compiled[name].pack.size_table else VERDICT_WORDS)
        for name in standards.chosen
    }
    return {"firms": 0, "ladder": {name: [0] * 7 for name in LADDER}, "standards": places}


def _rungs(judges: Judges, cell: Plain) -> list[Plain]:
    return [
        {"rung": rung, "name": both(name), **{answer: cell["ladder"][answer][rung] for answer in LADDER}}
        for rung, name in rung_names(judges.book).items()
    ]


def _standard(compiled: Compiled, cell: Plain, conditions: Mapping[str, Any] | None) -> Plain:
    """Its firms by verdict (or size class); its commonest conditions, null for one district."""
    pack = compiled.pack
    words = CLASS_WORDS if pack.size_table else VERDICT_WORDS
    told = {
        "id": pack.id,
        "name": both(pack.name),
        "in_force": pack.in_force_on(compiled.period),
        "verdicts": dict(zip(words, cell["standards"][pack.id], strict=True)),
        "conditions": None,
    }
    if conditions is not None:
        told["conditions"] = _conditions(compiled, conditions.get(pack.id, {}))
    return told


def _conditions(compiled: Compiled, counts: Mapping[str, Sequence[int]]) -> list[Plain]:
    """Those that hold up most firms first; ``alone``: nothing else stands against so many of them."""
    texts = {b.member.id: both(member_text(b.member, compiled.period)) for b in compiled.branches}
    if table := compiled.pack.size_table:
        texts = {field.key: both(field.label) for field in (table.industry, *table.figures)}
    order = sorted(counts.items(), key=lambda pair: (-pair[1][0] - pair[1][1], pair[0]))
    return [
        {"id": name, "text": texts.get(name), "unmet": unmet, "open": still_open, "alone": alone}
        for name, (unmet, still_open, alone) in order[:COMMONEST]
    ]


def _brief(cell: Plain) -> Plain:
    """A cell of a table: firms, firms by rung of each answer, and firms that meet each standard."""
    return {
        "firms": cell["firms"],
        **{answer: cell["ladder"][answer] for answer in LADDER},
        "met": {name: places[3] for name, places in cell["standards"].items() if len(places) == 4},
    }


def _industries(cells: Mapping[str, Plain]) -> list[Plain]:
    names = industries().names
    return [
        {"section": section or None, "name": names.get(section), **_brief(cell)}
        for section, cell in sorted(cells.items(), key=lambda pair: (not pair[0], pair[0]))
    ]


def _sizes(cells: Mapping[str, Plain]) -> list[Plain]:
    return [
        {"size": size, "name": both(SIZE_WORDS[size]), **_brief(cells[size])}
        for size in reversed(CLASS_WORDS)
        if size in cells
    ]


def _blanks(judges: Judges, counts: Mapping[str, Mapping[str, int]]) -> list[Plain]:
    """Figures that are all that is missing for a standard, over all standards, the most wanted first."""
    totals: Counter[str] = Counter()
    for columns in counts.values():
        totals.update(columns)
    return [
        {
            "column": column,
            "label": _label(column),
            "answers": total,
            "standards": {name: columns[column] for name, columns in counts.items() if column in columns},
        }
        for column, total in totals.most_common(COMMONEST)
    ]


def _label(column: str) -> Plain | None:
    parsed = catalogue().parse_column(column)
    return both(parsed[0].label) if parsed else None
