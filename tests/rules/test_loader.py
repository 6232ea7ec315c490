"""A pack that does not hold together is refused, with file and line and in both languages."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from models.errors import RulesRefused
from models.fields import catalogue
from models.rules.rulebook import load_rulebook, rulebook
from models.rules.source import Complaint
from models.seeds import ROOT

SRDI = "rules/srdi.n2.yaml"
CARD = "rules/techsme.n115.yaml"
SHARED = "rules/shared.yaml"
LADDER = "ladder.yaml"

# (file, what stands there, what is written in its place, code)
BROKEN: dict[str, tuple[str, str | None, str, str]] = {
    "not YAML": (SRDI, "kinds: [new, review]", "kinds: [new, review", "R001"),
    "not a mapping": (SRDI, None, "- 1\n- 2\n", "R001"),
    "a key twice": (SRDI, "kinds: [new, review]", "kinds: [new]\nkinds: [review]", "R002"),
    "an id twice": (SRDI, "{id: debt_ratio,", "{id: main_share,", "R002"),
    "file not named by its id": (SRDI, "id: srdi.n2\n", "id: srdi.n3\n", "R002"),
    "a card id twice": (CARD, "  - id: results\n", "  - id: people\n", "R002"),
    "missing source": (SRDI, "source: {document: n2, annex: 附件1, confidence: A}\n", "", "R003"),
    "missing confidence": (SRDI, "annex: 附件1, confidence: A}", "annex: 附件1}", "R003"),
    "no line": (SRDI, "quantity: main_share, at_least: 80%", "quantity: main_share", "R003"),
    "two lines": (SRDI, "main_share, at_least: 80%", "main_share, at_least: 80%, at_most: 90%", "R003"),
    "nothing tested": (SRDI, "flag: market_position, is: true, item", "item", "R003"),
    "unknown key": (SRDI, "at_least: 80%", "at_leats: 80%", "R004"),
    "name in one language": (SRDI, "short: 专精特新2号", "short: 专精特新2号\nnote: 说明", "R005"),
    "kind that is none": (SRDI, "kinds: [new, review]", "kinds: [old]", "R005"),
    "date that is none": (SRDI, "{kind: new, from: 2026-04-01}", "{kind: new, from: spring}", "R005"),
    "semicolon in an id": (SRDI, "{id: debt_ratio,", "{id: debt;ratio,", "R005"),
    "empty list": (SRDI, "  - id: ip\n    item: 条件4\n    any:", "  - id: ip\n    any: []\n    all:", "R005"),
    "unknown field": (SRDI, "flag: market_position", "flag: market_positon", "R010"),
    "unknown value of a field": (SRDI, "among: [provincial, national]", "among: [galactic]", "R010"),
    "field of the wrong type": (SRDI, "flag: market_position", "flag: rd_expense", "R011"),
    "unknown unit": (SRDI, "rd_1, at_least: 100万", "rd_1, at_least: 100斤", "R012"),
    "unit of another quantity": (SRDI, "main_share, at_least: 80%", "main_share, at_least: 80年", "R012"),
    "bare number for money": (SRDI, "rd_1, at_least: 100万", "rd_1, at_least: 100", "R012"),
    "industry code that is none": (SHARED, "codes: [13-43]", "codes: [43-13]", "R013"),
    "unknown quantity": (SRDI, "quantity: main_share", "quantity: man_share", "R014"),
    "unknown kind of quantity": (SHARED, "main_share: {ratio:", "main_share: {ration:", "R014"),
    "unknown group": (SRDI, "use: common_gates", "use: comon_gates", "R014"),
    "unknown sector": ("rules/lead.plan.yaml", "sector: manufacturing", "sector: mining", "R014"),
    "unknown part of a card": (CARD, "score: tech_staff", "score: staff", "R014"),
    "score without a card": (SRDI, "quantity: main_share, at_least: 80%", "score: total, at_least: 60", "R014"),
    "ladder names an unknown standard": (LADDER, "srdi: [srdi.n63, srdi.n2]", "srdi: [srdi.n9]", "R014"),
    "yearly field without a year": (SHARED, "rd_1: {value: rd_expense, year: 1}", "rd_1: {value: rd_expense}", "R015"),
    "year for a field without": (SHARED, "{value: niche_years}", "{value: niche_years, year: 1}", "R015"),
    "comparison a quantity cannot make": (SRDI, "equity_2y, at_least:", "equity_2y, at_most:", "R016"),
    "blank as 0 where figures may be negative": (
        SHARED,
        "{sum: operating_cash_flow, years: 3}",
        "{sum: operating_cash_flow, years: 3, blank: counts_as_zero_until_reached}",
        "R016",
    ),
    "points that do not add up": (CARD, "max: 20\n    indicators", "max: 25\n    indicators", "R020"),
    "band table without else": (CARD, "10%: 4, else: 0}}", "10%: 4}}", "R021"),
    "choice table with a hole": ("rules/srdi.n63.yaml", "own: 2, none: 0}", "own: 2}", "R021"),
    "size bounds that rise": (SHARED, "revenue: [40000万, 2000万, 300万]", "revenue: [300万, 2000万, 40000万]", "R021"),
    "band never reached": (CARD, "25%: 16, 20%: 12", "20%: 16, 25%: 12", "R022"),
    "points that do not fall": (CARD, "25%: 16, 20%: 12", "25%: 12, 20%: 16", "R023"),
    "unknown document": (SRDI, "document: n2,", "document: n3,", "R024"),
    "idle branch": (
        SRDI,
        "{id: revenue, quantity: revenue_1, at_least: 1500万}",
        "{id: revenue, quantity: revenue_1, at_least: 1500万}\n"
        "      - {id: revenue_more, quantity: revenue_1, at_least: 3000万}",
        "R025",
    ),
    "conditions that exclude each other": (
        SRDI,
        "  - {id: debt_ratio,",
        "  - {id: share_low, quantity: main_share, less_than: 80%}\n  - {id: debt_ratio,",
        "R026",
    ),
    "limit to a kind the pack has not": ("rules/hnte.n32.yaml", "at_least: 71分}", "at_least: 71分, only: {kind: review}}", "R027"),
}  # fmt: skip


@pytest.fixture
def rules_copy(tmp_path: Path) -> Path:
    for part in ("rules", "programmes"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / LADDER, tmp_path / LADDER)
    return tmp_path


def complaints_of(root: Path) -> list[Complaint]:
    with pytest.raises(RulesRefused) as caught:
        load_rulebook(root, catalogue())
    found: list[Complaint] = caught.value.complaints  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.replace(" ", "_"))
def test_a_broken_pack_is_refused_at_its_line(rules_copy: Path, case: str) -> None:
    file, before, after, code = BROKEN[case]
    path = rules_copy / file
    text = path.read_text("utf-8")
    if before is None:
        path.write_text(after, "utf-8")
        first, last = 1, 1
    else:
        assert before in text
        path.write_text(text.replace(before, after, 1), "utf-8")
        first = text[: text.index(before)].count("\n") + 1
        last = first + after.count("\n") + 1
    found = complaints_of(rules_copy)
    named = [c for c in found if c.code == code and c.file == file]
    assert named, [str(c) for c in found]
    # Something missing is told at the block it is missing from, above the place.
    assert any(c.line <= last for c in named)
    assert all(c.text.zh and c.text.en for c in named)
    if code not in {"R001", "R003", "R014", "R020", "R021"}:
        assert any(first <= c.line <= last for c in named), [str(c) for c in named]


def test_every_code_the_loader_can_raise_has_a_case() -> None:
    folder = Path(load_rulebook.__code__.co_filename).parent
    raised = {
        code for path in folder.glob("*.py") for code in re.findall(r'"(R\d{3})"', path.read_text("utf-8"))
    }
    assert raised - {"R404"} == {code for *_, code in BROKEN.values()}


def test_all_errors_are_told_together(rules_copy: Path) -> None:
    for file, before, after in (
        (SRDI, "flag: market_position", "flag: market_positon"),
        (SRDI, "rd_1, at_least: 100万", "rd_1, at_least: 100斤"),
        (CARD, "10%: 4, else: 0}}", "10%: 4}}"),
    ):
        path = rules_copy / file
        path.write_text(path.read_text("utf-8").replace(before, after, 1), "utf-8")
    assert {"R010", "R012", "R021"} <= {complaint.code for complaint in complaints_of(rules_copy)}


def test_the_rulebook_that_ships_has_every_standard_of_the_contract_in_order() -> None:
    assert list(rulebook().packs)[:4] == ["size.n300", "above_scale.nbs", "techsme.n115", "innovative.n63"]
    assert len(rulebook().packs) == 27
    assert {item.id for item in rulebook().information} == {
        "compute_voucher.2023", "compute_voucher.2025", "diagnosis_voucher.2023",
    }  # fmt: skip


def test_a_changed_figure_changes_the_hash_of_its_pack_and_of_the_rulebook(rules_copy: Path) -> None:
    before = load_rulebook(rules_copy, catalogue())
    path = rules_copy / SRDI
    path.write_text(path.read_text("utf-8").replace("1500万", "1501万"), "utf-8")
    after = load_rulebook(rules_copy, catalogue())
    assert before.hash == rulebook().hash != after.hash
    assert [pack.id for pack in before if pack.hash != after[pack.id].hash] == ["srdi.n2"]
