"""An impact as a plain document, Chinese and English: what the API and ``tidui impact --json`` say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from models.codes import districts, industries
from models.errors import Text
from models.impacts.judge import ImpactJudge, Side
from models.impacts.pairs import Comparison
from models.impacts.tally import CHANGES, Change, Tally, change_of
from models.rules.explain import member_text
from models.rules.pack import Pack
from models.rules.quantity import Period
from models.verdict import DISCLAIMER, Verdict

CHANGE_NAMES: Mapping[Change, Text] = {
    "gained": Text("新增达标", "gained"),
    "lost": Text("不再达标", "lost"),
    "newly_unknown": Text("变为缺数据", "newly unknown"),
    "newly_known": Text("不再缺数据", "no longer unknown"),
    "otherwise": Text("其他变化", "otherwise"),
    "unchanged": Text("不变", "unchanged"),
}
_BLANK = Text("未填", "not given")


def report(
    comparison: Comparison, judge: ImpactJudge, period: Period, tallies: Sequence[Tally], firms: int
) -> dict[str, Any]:
    """Everything that is said of a comparison; ``firms``: how many were judged."""
    pairs = [_pair(sides, tally, firms) for sides, tally in zip(judge.sides, tallies, strict=True)]
    return {
        "as_of": period.as_of.isoformat(),
        "kind": period.kind,
        "rulebook_a": comparison.book_a.hash,
        "rulebook_b": comparison.book_b.hash,
        "firms": firms,
        "pairs": pairs,
        "same": list(comparison.same),
        "only_a": list(comparison.only_a),
        "only_b": list(comparison.only_b),
        "disclaimer": _both(DISCLAIMER),
    }


def _pair(sides: tuple[Side, Side], tally: Tally, firms: int) -> dict[str, Any]:
    moved = tally.from_to()
    counts: Counter[Change] = Counter()
    for (a, b), some in moved.items():
        counts[change_of(a, b)] += some
    assert counts.total() == firms, "every firm is counted once"
    by_section = tally.by("section")
    return {
        "a": _head(sides[0].compiled.pack),
        "b": _head(sides[1].compiled.pack),
        "counts": _all(counts),
        "from_to": {a.key: {b.key: moved.get((a, b), 0) for b in Verdict} for a in Verdict},
        "districts": [{**_district(code), **_all(some)} for code, some in tally.by("district").items()],
        "sections": [{**_section(letter), **_all(some)} for letter, some in by_section.items()],
        "conditions": _conditions(sides, tally),
    }


def _conditions(sides: tuple[Side, Side], tally: Tally) -> dict[str, list[dict[str, Any]]]:
    """Change → the conditions behind it, the commonest first."""
    found: dict[str, list[dict[str, Any]]] = {change: [] for change in CHANGES if change != "unchanged"}
    for (change, name), masks in tally.deciding().items():
        side = sides[0] if name == "a" else sides[1]
        for place, branch in enumerate(side.compiled.branches):
            firms = sum(some for mask, some in masks.items() if mask >> place & 1)
            if firms:
                found[change].append(
                    {
                        "side": name,
                        "standard": side.compiled.pack.id,
                        "condition": side.compiled.term_ids[place],
                        "text": _both(member_text(branch.member, side.compiled.period)),
                        "firms": firms,
                        "alone": masks.get(1 << place, 0),
                    }
                )
    for conditions in found.values():
        conditions.sort(key=lambda one: (-one["firms"], one["side"], one["condition"]))
    return found


def _head(pack: Pack) -> dict[str, Any]:
    return {"id": pack.id, "name": _both(pack.name), "document": pack.document.number}


def _all(counts: Mapping[Change, int]) -> dict[str, int]:
    return {change: counts.get(change, 0) for change in CHANGES}


def _district(code: str | None) -> dict[str, Any]:
    if code is None:
        return {"district": None, "name": _BLANK.zh}
    return {"district": code, "name": districts().names.get(code) or districts().label(code)}


def _section(letter: str | None) -> dict[str, Any]:
    return {"section": letter, "name": _BLANK.zh if letter is None else industries().names[letter]}


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
