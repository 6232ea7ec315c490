"""An assessment's bytes say what the explanation says, with where every figure comes from."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from models.answer import standing_dict
from models.assessing import Asked, Assessor, Firm
from models.errors import UsageRefused
from models.fields import NO_TITLE
from models.figures import external, internal
from models.ladder import standing_of
from models.rules.explain import Explainer
from models.rules.rulebook import rulebook
from tests.firms import AS_OF, meeting
from tests.test_figures import FIRMS

ASSESSOR = Assessor(rulebook())
SAID_ONCE = ("as_of", "disclaimer", "pack_hash")


def asked(figures: dict[str, Any]) -> Firm:
    written = {column: external(column, value) for column, value in figures.items() if value is not None}
    return Firm(None, None, {column: Asked(value) for column, value in written.items()}, written)


def assess(figures: dict[str, Any], *ids: str, kind: str = "new") -> dict[str, Any]:
    answer: dict[str, Any] = orjson.loads(ASSESSOR.sheet(AS_OF, kind).assess(asked(figures), ids or None))
    return answer


def conditions(node: Any) -> Any:
    """Every condition and group of a standard's answer, at any depth."""
    for condition in node.get("conditions", node.get("members", ())):
        yield condition
        yield from conditions(condition)


def plain(explained: Any) -> Any:
    """The explanation as JSON, titles that are not held as ``none``."""
    if isinstance(explained, dict):
        return {key: plain(value) for key, value in explained.items() if key not in SAID_ONCE}
    if isinstance(explained, list | tuple):
        return [plain(value) for value in explained]
    if isinstance(explained, date):
        return "none" if explained == NO_TITLE else explained.isoformat()
    return explained


def without_sources(answer: Any) -> Any:
    """An assessment without what the explanation does not have; a card's readings under their name there."""
    if isinstance(answer, list):
        return [without_sources(value) for value in answer]
    if not isinstance(answer, dict):
        return answer
    kept = {key: without_sources(value) for key, value in answer.items() if key != "inputs"}
    if "readings" in kept:
        kept["inputs"] = kept.pop("readings")
    return kept


@given(FIRMS)
@settings(max_examples=40, deadline=None)
def test_the_bytes_say_what_the_explanation_says(written: dict[str, Any]) -> None:
    sheet = ASSESSOR.sheet(AS_OF, "new")
    figures = internal(written)
    trace, explained = Explainer(sheet.standards).explain(figures, words=True)
    answer = assess(figures)
    assert without_sources(answer["standards"]) == orjson.loads(orjson.dumps(plain(explained)))
    assert answer["ladder"] == standing_dict(standing_of(rulebook(), sheet.standards, trace))


def test_every_condition_names_the_figures_it_reads_with_year_unit_and_source() -> None:
    answer = assess(meeting("srdi.n2"), "srdi.n2")
    (standard,) = answer["standards"]
    ratio = next(c for c in conditions(standard) if c["id"] == "rd_ratio_1")
    assert ratio["verdict"] == "met"
    assert ratio["clause"]["item"] == "条件3"
    assert ratio["clause"]["page"].startswith("https://www.miit.gov.cn/")
    assert ratio["inputs"] == [
        {
            "column": column,
            "label": {"zh": f"2025年{zh}", "en": f"{en} 2025"},
            "year": 2025,
            "unit": "元",
            "value": meeting("srdi.n2")[column],
            "source": "request",
            "dated": None,
        }
        for column, zh, en in (
            ("rd_expense_2025", "研发费用", "R&D expense"),
            ("revenue_2025", "营业收入", "operating revenue"),
        )
    ]


def test_the_json_alone_says_why_in_words() -> None:
    figures = meeting("srdi.n2", rd_expense_2025=2_990_000, revenue_2025=100_000_000, niche_years=None)
    (standard,) = assess(figures, "srdi.n2")["standards"]
    assert standard["verdict_text"]["zh"] == "未达标"
    assert standard["reason"]["zh"] == "不满足的条件有：【2025年研发费用÷营业收入不低于3%】"
    told = {condition["id"]: condition for condition in conditions(standard)}
    ratio, niche = told["rd_ratio_1"], told["niche_years"]
    assert (ratio["unit"], ratio["required"]["line"], ratio["required"]["shown"]["zh"]) == (
        "ratio",
        0.03,
        "不低于3%",
    )
    assert ratio["shown"] == {"zh": "2.99%", "en": "2.99%"}
    assert ratio["reason"] == {
        "zh": "实际 2.99%，要求 不低于3%",
        "en": "actual 2.99%; required: at least 3%",
    }
    assert (niche["verdict_text"]["zh"], niche["shown"]) == ("缺数据", None)
    assert niche["reason"]["zh"] == "实际 没有可用的数，要求 不低于3年"


def test_every_standard_condition_and_reading_is_told_in_words() -> None:
    for standard in assess({})["standards"]:
        assert standard["verdict_text"]["zh"] in {"达标", "未达标", "缺数据", "待核验"}
        assert standard["reason"]["zh"]
        for condition in conditions(standard):
            assert condition["verdict_text"]["zh"] in {"缺数据", "待核验"}
            assert condition["reason"]["zh"]
            assert condition["unit"] != "%" if "unit" in condition else "members" in condition
            if "members" not in condition:
                assert condition["required"]["shown"]["zh"] in condition["reason"]["zh"]


def test_titles_and_options_are_shown_in_words() -> None:
    figures = meeting("srdi.n63", title_srdi_until=NO_TITLE, rd_institution="none", award_national_rank=2)
    answer = assess(figures, "srdi.n2", "giant.n63", "innovative.n63")
    told = {
        condition["id"]: condition for standard in answer["standards"] for condition in conditions(standard)
    }
    assert (told["srdi_title"]["actual"], told["srdi_title"]["shown"]["zh"]) == ("none", "无")
    assert (told["institution"]["actual"], told["institution"]["shown"]["zh"]) == ("none", "无")
    assert told["direct_prize"]["shown"]["zh"] == "第2名"
    assert told["direct_prize"]["required"] == {
        "from": 1,
        "to": 3,
        "shown": {"zh": "第1～3名", "en": "rank 1 to 3"},
    }


def test_all_of_it_is_in_both_languages() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "zh" in node or "en" in node:
                assert node["zh"]
                assert node["en"]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(assess(meeting("giant.n2")))


def test_an_assessment_is_never_a_recognition() -> None:
    assert assess({})["disclaimer"]["zh"] == "预评估，不构成认定"


def test_a_figure_that_somebody_contradicts_shows_both() -> None:
    @dataclass(frozen=True)
    class Fact:
        value: Any
        source: str
        dated: date
        also: tuple[Fact, ...] = ()

    imported = Fact(5, "upload", date(2026, 3, 1))
    by_hand = Fact(3, "hand", date(2026, 4, 1), (imported,))
    firm = Firm("x", None, {"niche_years": by_hand}, {"niche_years": 3})
    answer = orjson.loads(ASSESSOR.sheet(AS_OF).assess(firm, ["srdi.n2"]))
    condition = next(c for c in conditions(answer["standards"][0]) if c["id"] == "niche_years")
    (shown,) = condition["inputs"]
    assert (shown["value"], shown["source"], shown["dated"]) == (3, "hand", "2026-04-01")
    assert shown["also"] == [{"value": 5, "source": "upload", "dated": "2026-03-01"}]


def test_what_is_put_in_place_of_a_refusal_stands_beside_the_verdict() -> None:
    held = assess(meeting("voucher.growth", title_srdi_until=date(2027, 6, 30)), "voucher.growth")
    told = [c for c in conditions(held["standards"][0]) if "instead" in c]
    assert told
    assert all(c["verdict"] == "unmet" for c in told)


def test_another_process_gives_the_same_bytes() -> None:
    firm = asked(meeting("srdi.n2", "giant.n2"))
    program = (
        "import sys\n"
        "from tests.test_answer import ASSESSOR, asked, AS_OF\n"
        "from tests.firms import meeting\n"
        "sys.stdout.buffer.write(ASSESSOR.sheet(AS_OF).assess(asked(meeting('srdi.n2', 'giant.n2'))))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout == ASSESSOR.sheet(AS_OF).assess(firm)


@pytest.mark.parametrize(
    ("day", "kind", "code"), [(date(1999, 12, 31), "new", "R411"), (date(2026, 1, 1), "old", "R412")]
)
def test_a_date_or_kind_that_rules_cannot_be_asked_about_is_refused(day: date, kind: str, code: str) -> None:
    with pytest.raises(UsageRefused) as refused:
        ASSESSOR.sheet(day, kind)
    assert refused.value.code == code
