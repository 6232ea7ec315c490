"""Voucher and award programmes: what they say, whom they exclude, and the decision on one firm.

A decision is an assessment by the programme's pack; the words here never change a verdict. The answers are
``eligible``, ``not_eligible``, ``unknown`` (a figure is missing) and ``to_review`` (a person must attest).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

from models.errors import Text, TiduiError, UsageRefused
from models.fields import NO_TITLE
from models.figures import column_of, internal, place
from models.rules.compile import Branch, Compiled, compile_standards
from models.rules.condition import Choice, Condition, FirstYear, Flag, Group, Title
from models.rules.explain import Answer, Explainer, clause_dict, member_text, pack_dict, pack_head
from models.rules.pack import Amount, Information, Pack
from models.rules.program import Builder
from models.rules.quantity import Figures, Period
from models.rules.rulebook import Rulebook
from models.rules.units import show
from models.verdict import Verdict

Fact = Mapping[str, Any]
"""One figure as used: column, value (external form, None where blank), source, dated, origin."""

DECISIONS: Mapping[str, tuple[str, Text]] = {
    "met": ("eligible", Text("预评估具备条件", "eligible by this assessment")),
    "unmet": ("not_eligible", Text("预评估不具备条件", "not eligible by this assessment")),
    "unknown": ("unknown", Text("缺数据，不能判断", "unknown: a figure is missing")),
    "review": ("to_review", Text("待人工核验", "to be reviewed by a person")),
}
"""Verdict of the pack → decision of the programme."""

PURPOSE_REACHED = Text("目的已达成，不是被拒", "purpose reached; this is no refusal")
NO_PUBLIC_RULE = Text(
    "没有查到公开的互斥或叠加规定；下列互斥只由条件本身推出",
    "no public rule on exclusion or stacking is known; those listed follow from the conditions alone",
)


class ProgrammeUnknown(TiduiError):
    """There is no such programme."""

    status = 404


class ProgrammeNotJudged(TiduiError):
    """The programme turns on a contract, not on the firm."""

    status = 422


class OptionUnknown(UsageRefused):
    """The programme has no such option."""

    status = 422


def programmes(book: Rulebook) -> list[Pack]:
    return [pack for pack in book if pack.programme]


def programme_heads(book: Rulebook) -> list[Answer]:
    """Every programme in short, those that are judged first."""
    judged = [_head(pack) for pack in programmes(book)]
    return [*judged, *(_information(item) for item in book.information)]


def programme_dict(book: Rulebook, programme_id: str, period: Period) -> Answer:
    """One programme in full: rules as sentences, documents, amount, exclusions. Raises ProgrammeUnknown."""
    for item in book.information:
        if item.id == programme_id:
            return _information(item)
    pack = _pack(book, programme_id)
    answer = _head(pack) | pack_dict(pack, pack.effective(period))
    answer["amount"] = _amount_rule(pack.amount, period)
    answer["exclusions"] = exclusions(book, pack, period)
    return answer


def _pack(book: Rulebook, programme_id: str) -> Pack:
    pack = book.packs.get(programme_id)
    if pack is None or not pack.programme:
        known = "、".join(pack.id for pack in programmes(book))
        raise ProgrammeUnknown(
            "P404",
            Text(f"没有项目“{programme_id}”", f"there is no programme “{programme_id}”"),
            Text(f"可选：{known}", f"Choose from: {known}"),
        )
    return pack


def _head(pack: Pack) -> Answer:
    head: Answer = {
        "id": pack.id,
        "name": _both(pack.name),
        "short": pack.short,
        "judged": True,
        "document": _document(pack),
        "clause": clause_dict(pack.clause),
        "in_force_spans": [{"from": span.start, "to": span.end} for span in pack.in_force],
        "pack_hash": pack.hash,
        "has_public_amount": pack.amount is not None,
        "options": [option.id for option in pack.options],
    }
    if pack.operational:
        head["operational_definition"] = _both(pack.operational)
    return head


def _document(pack: Pack) -> Answer:
    document = pack.document
    return {
        "title": document.title,
        "number": document.number,
        "from": document.start,
        "to": document.end,
        "page": document.page,
    }


def _information(item: Information) -> Answer:
    return {
        "id": item.id,
        "name": _both(item.name),
        "judged": False,
        "why_not_judged": _both(_CONTRACT),
        "clause": clause_dict(item.clause),
        "who": _both(item.who),
        "money": _both(item.money),
    }


_CONTRACT = Text(
    "取决于合同而不取决于企业：只列出，不作判断",
    "it turns on a contract, not on the firm: listed, never judged",
)


def exclusions(book: Rulebook, pack: Pack, period: Period) -> Answer:
    """Programmes that no firm can be eligible for on the same date, and the conditions that say so."""
    others = [
        {
            "programme": other.id,
            "name": _both(other.name),
            "because": [
                {"condition": mine.id, "against": theirs.id, "text": _both(_against(mine, theirs, period))}
                for mine, theirs in clashes
            ],
        }
        for other in programmes(book)
        if other.id != pack.id and (clashes := list(_clashes(pack, other, period)))
    ]
    return {"public_rule": None, "note": _both(NO_PUBLIC_RULE), "by_conditions": others}


def _against(mine: Condition, theirs: Condition, period: Period) -> Text:
    one, other = member_text(mine, period), member_text(theirs, period)
    return Text(f"{one.zh}；而对方要求{other.zh}", f"{one.en}; the other asks: {other.en}")


def _clashes(one: Pack, other: Pack, period: Period) -> Iterator[tuple[Condition, Condition]]:
    theirs = [term for term in other.terms(period) if isinstance(term, Condition)]
    for mine in one.terms(period):
        if isinstance(mine, Condition):
            yield from ((mine, term) for term in theirs if _never_both(mine, term, period))


def _never_both(one: Condition, other: Condition, period: Period) -> bool:
    """Two conditions on one field whose accepted values have nothing in common."""
    a, b = one.test, other.test
    if isinstance(a, Title) and isinstance(b, Title):
        return a.field == b.field and a.held != b.held
    if isinstance(a, Flag) and isinstance(b, Flag):
        return (a.field, a.back) == (b.field, b.back) and a.wanted != b.wanted
    if isinstance(a, Choice) and isinstance(b, Choice):
        return a.field == b.field and not set(a.among) & set(b.among)
    if isinstance(a, FirstYear) and isinstance(b, FirstYear):
        years = set(a.years(period)), set(b.years(period))
        return a.field == b.field and bool(years[0] and years[1]) and not years[0] & years[1]
    return False


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is decided on."""

    uscc: str
    name: str | None
    district: str | None


class Judge:
    """One programme on one date with the options chosen, compiled once for any number of firms."""

    def __init__(
        self, book: Rulebook, programme_id: str, period: Period, options: Sequence[str] = ()
    ) -> None:
        """Raises ProgrammeUnknown, ProgrammeNotJudged, OptionUnknown."""
        if any(item.id == programme_id for item in book.information):
            raise ProgrammeNotJudged("P405", _CONTRACT)
        self.book = book
        self.pack = _with_options(_pack(book, programme_id), options)
        self.options = tuple(options)
        changed = replace(book, packs={**book.packs, programme_id: self.pack})
        self._explainer = Explainer(compile_standards(changed, period, [programme_id]), ladder=False)
        self._compiled: Compiled = self._explainer.standards.compiled[programme_id]
        self.period = self._compiled.period

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Canonical columns the decision and the amount are made from."""
        columns = self._inputs([*self._compiled.all_slots()])
        amount = self.pack.amount
        if amount and amount.of:
            b = Builder()
            slot = amount.of.truth(b, self.period, "ge", Fraction(1))
            columns |= b.program().inputs([slot])
        return tuple(sorted(columns))

    def answer(self, subject: Subject, facts: Sequence[Fact]) -> Answer:
        """The decision on one firm, with every condition, from facts by :attr:`columns`."""
        figures = internal({fact["column"]: fact["value"] for fact in facts})
        _, (explained,) = self._explainer.explain(figures, words=True)
        decision, text = DECISIONS[explained["verdict"]]
        conditions = [
            self._condition(branch, told)
            for branch, told in zip(self._compiled.branches, explained["conditions"], strict=True)
        ]
        return {
            **self._head,
            "uscc": subject.uscc,
            "name": subject.name,
            "district": place(subject.district),
            "verdict": decision,
            "verdict_text": _both(text),
            "purpose_reached": _purpose_reached(conditions),
            "conditions": conditions,
            "amount": self._amount(decision, figures),
            "facts": list(facts),
        }

    @cached_property
    def _head(self) -> Answer:
        head = pack_head(self.pack, self.period)
        pack, programme = self.pack, ("id", "name", "document", "clause", "pack_hash", "note")
        answer: Answer = {
            "programme": {key: head[key] for key in programme if key in head},
            "as_of": self.period.as_of,
            "kind": self.period.kind,
            "options": list(self.options),
            "in_force": head["in_force"],
            "disclaimer": head["disclaimer"],
            "exclusions": exclusions(self.book, pack, self.period),
        }
        if not head["in_force"]:
            answer["not_in_force"] = _both(_not_in_force(pack, self.period))
        if pack.operational:
            answer["operational_definition"] = _both(pack.operational)
        return answer

    def _condition(self, branch: Branch, told: Answer) -> Answer:
        """What the explainer told, with the columns read and a sentence why."""
        if told.get("actual") == NO_TITLE:
            told["actual"] = "none"
        told["inputs"] = self._columns_of[branch.slot]
        told["reason"] = _reason(told)
        if isinstance(branch.member, Group):
            told["members"] = [
                self._condition(child, member)
                for child, member in zip(branch.children, told["members"], strict=True)
            ]
        return told

    @cached_property
    def _columns_of(self) -> Mapping[int, list[str]]:
        branches = (inner for branch in self._compiled.branches for inner in branch.walk())
        return {branch.slot: sorted(self._inputs([branch.slot])) for branch in branches}

    def _inputs(self, slots: Sequence[int]) -> frozenset[str]:
        return self._explainer.standards.program.inputs(slots)

    def _amount(self, decision: str, figures: Figures) -> Answer | None:
        amount = self.pack.amount
        rule = _amount_rule(amount, self.period)
        if amount is None or rule is None:
            return None
        base = amount.of.actual(figures, self.period) if amount.of else None
        value = None
        if amount.share is not None and base is not None and decision != "not_eligible":
            value = min(amount.at_most, int(amount.share * base))
        return rule | {"base": base, "value": value, "how": _both(_how(amount, base, value, self.period))}


def _with_options(pack: Pack, chosen: Sequence[str]) -> Pack:
    """The pack with the chosen options among its conditions; the rest stay out."""
    known = {option.id: option for option in pack.options}
    for option in chosen:
        if option not in known:
            raise OptionUnknown(
                "P422",
                Text(f"项目“{pack.id}”没有选项“{option}”", f"programme “{pack.id}” has no option “{option}”"),
                Text(
                    f"可选：{'、'.join(map(str, known)) or '无'}",
                    f"Choose from: {', '.join(map(str, known))}",
                ),
            )
    members = (*pack.root.members, *(known[option] for option in dict.fromkeys(chosen)))
    return replace(pack, root=replace(pack.root, members=members), options=())


def _purpose_reached(conditions: Sequence[Answer]) -> Answer | None:
    """Set where all that stands against the firm is that it has reached what the programme is for."""
    against = [told for told in conditions if told["verdict"] == "unmet"]
    if not against or not all(told.get("instead") for told in against):
        return None
    return {**_both(PURPOSE_REACHED), "conditions": [told["id"] for told in against]}


def _reason(told: Answer) -> Mapping[str, str]:
    verdict = Verdict[told["verdict"].upper()].text
    if "members" in told:
        return _both(Text(f"{told['text']['zh']}：{verdict.zh}", f"{told['text']['en']}: {verdict.en}"))
    shown = told["shown"] or _both(Text("未填", "blank"))
    instead = told.get("instead")
    zh, en = (f"；{instead['zh']}", f"; {instead['en']}") if instead else ("", "")
    return _both(
        Text(
            f"要求{told['text']['zh']}；实际：{shown['zh']}；{verdict.zh}{zh}",
            f"required: {told['text']['en']}; actual: {shown['en']}; {verdict.en}{en}",
        )
    )


def _not_in_force(pack: Pack, period: Period) -> Text:
    spans = "；".join(f"{span.start or '…'}～{span.end or '…'}" for span in pack.in_force)
    return Text(
        f"所依据的规定在{period.as_of}不在施行期内（{spans}），结论只供参考",
        f"its rule is not in force on {period.as_of} ({spans}); the answer is for information",
    )


def _amount_rule(amount: Amount | None, period: Period) -> Answer | None:
    """What is public about the money; None where nothing is."""
    if amount is None:
        return None
    return {
        "at_most": amount.at_most,
        "unit": "元",
        "share": None if amount.share is None else float(amount.share),
        "of": _both(amount.of.label(period)) if amount.of else None,
    }


def _how(amount: Amount, base: Any, value: int | None, period: Period) -> Text:
    """How the number is worked out, or why there is none."""
    cap = show(amount.at_most, "元")
    if amount.share is None or amount.of is None:
        return Text(
            f"公开的只有上限{cap.zh}，没有计算办法，不给出数额",
            f"only the ceiling of {cap.en} is public, not how it is worked out: no number",
        )
    share, label = show(amount.share, "%"), amount.of.label(period)
    rule = Text(f"{label.zh}的{share.zh}，上限{cap.zh}", f"{share.en} of {label.en}, at most {cap.en}")
    if base is None:
        return Text(f"{rule.zh}；{label.zh}未填，算不出", f"{rule.en}; {label.en} is blank")
    if value is None:
        return Text(f"{rule.zh}；不具备条件，不计算", f"{rule.en}; not eligible, not worked out")
    shown, got = show(base, "元"), show(value, "元")
    return Text(
        f"{rule.zh}：{shown.zh} × {share.zh} → {got.zh}", f"{rule.en}: {shown.en} × {share.en} → {got.en}"
    )


@cache
def column_head(column: str) -> Answer:
    """What a column is called, its year and unit. Not to be changed: it is made once."""
    known = column_of(column)
    assert known is not None, column
    return {"column": column, "label": _both(known.label), "year": known.year, "unit": known.unit or None}


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
