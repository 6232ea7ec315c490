"""The plan's targets: what counts, by hand-made firms; and that a slip in the file is told by its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RulesRefused
from models.fields import NO_TITLE, catalogue
from models.plan import load_plan, plan
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from models.rules.table import column_dtype
from models.seeds import seed
from models.targets import COUNTS, MASKS, Targets, add_counts, compile_targets, count_targets
from models.verdict import Verdict
from tests.firms import AS_OF, meeting

SHANGHAI = {"district": "310115"}
LATER, EARLIER = date(2027, 12, 31), date(2026, 6, 29)
TARGETS = compile_targets(plan(), rulebook(), Period(AS_OF, "new"))


def verdicts(figures: dict[str, Any], targets: Targets = TARGETS) -> dict[tuple[str, str], Verdict]:
    return {(target, basis): verdict for (target, basis), verdict in targets.of_firm(figures).items()}


def _frame(firms: list[dict[str, Any]], targets: Targets = TARGETS) -> pl.DataFrame:
    columns = sorted(targets.inputs() | {"district"})
    data = {name: [firm.get(name) for firm in firms] for name in columns}
    return pl.DataFrame(data, schema={name: column_dtype(name) for name in columns})


def counted(firms: list[dict[str, Any]], targets: Targets = TARGETS) -> dict[str, dict[str, int]]:
    frame = _frame(firms, targets)
    counts = add_counts([count_targets(plan(), targets.with_masks(frame.lazy(), frame.columns).collect())])
    return {
        name: dict(zip(COUNTS, values, strict=True))
        for name, *values in counts.group_by("target").agg(pl.col(*COUNTS).sum()).iter_rows()
    }


def test_every_target_of_the_plan_is_there() -> None:
    assert [(t.id, t.comparison, t.value, t.kind) for t in plan().targets] == [
        ("11.3", "=", 40, "stock"),
        ("15.1", "≈", 15, "cumulative"),
        ("15.2", "≈", 50, "stock"),
        ("16.1", "≈", 50, "stock"),
        ("16.2", "≈", 100, "stock"),
        ("16.3", ">", 25000, "stock"),
        ("16.4", "=", 100000, "stock"),
        ("16.5", ">", 100, "stock"),
        ("17.1", "=", 10000, "stock"),
        ("17.2", "=", 1000, "stock"),
        ("17.3", "=", 50, "stock"),
        ("18.1", "≈", 1000, "per_year"),
    ]


@pytest.mark.parametrize(
    ("target", "column"),
    [
        ("16.3", "title_hnte_until"),
        ("16.4", "title_innovative_until"),
        ("17.1", "title_srdi_until"),
        ("17.2", "title_giant_until"),
        ("17.3", "title_champion_until"),
    ],
)
@pytest.mark.parametrize(
    ("until", "verdict"),
    [(AS_OF, "met"), (EARLIER, "unmet"), (NO_TITLE, "unmet"), (None, "unknown")],
)
def test_a_title_counts_through_its_last_day(
    target: str, column: str, until: date | None, verdict: str
) -> None:
    assert verdicts({**SHANGHAI, column: until})[target, "held"].key == verdict


@pytest.mark.parametrize(
    ("target", "column"), [("11.3", "member_gongfu_chain"), ("15.2", "member_dragonhead")]
)
def test_a_list_counts_its_members(target: str, column: str) -> None:
    assert verdicts({**SHANGHAI, column: True})[target, "held"] is Verdict.MET
    assert verdicts({**SHANGHAI, column: False})[target, "held"] is Verdict.UNMET
    assert verdicts(SHANGHAI)[target, "held"] is Verdict.UNKNOWN
    assert (target, "met") not in verdicts(SHANGHAI)


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        (100 * 10**8, 100 * 10**8 + 1, "met"),
        (100 * 10**8, 100 * 10**8, "unmet"),
        (100 * 10**8 + 1, 100 * 10**8 + 1, "unmet"),
        (None, 100 * 10**8 + 1, "unknown"),
        (0, None, "unknown"),
    ],
)
def test_a_new_manufacturer_passed_ten_billion_after_2022(
    before: int | None, now: int | None, verdict: str
) -> None:
    figures = {**SHANGHAI, "industry": 39114, "output_value_2022": before, "output_value_2025": now}
    assert verdicts(figures)["15.1", "met"].key == verdict


def test_the_base_year_stays_2022_whatever_the_year_of_the_question() -> None:
    later = compile_targets(plan(), rulebook(), Period(date(2028, 3, 1), "new"))
    assert {"output_value_2022", "output_value_2027"} <= later.inputs()


def test_unicorns_count_only_in_manufacturing() -> None:
    unicorn = meeting("unicorn.torch") | SHANGHAI
    assert verdicts(unicorn | {"industry": 39114})["16.1", "met"] is Verdict.MET
    assert verdicts(unicorn | {"industry": 65104})["16.1", "met"] is Verdict.UNMET


def test_first_entry_of_an_industrial_firm_in_the_year_of_the_question() -> None:
    firm = {**SHANGHAI, "industry": 39114}
    assert verdicts(firm | {"directory_first_year": 2026})["18.1", "held"] is Verdict.MET
    assert verdicts(firm | {"directory_first_year": 2025})["18.1", "held"] is Verdict.UNMET
    assert verdicts(firm | {"directory_first_year": 0})["18.1", "held"] is Verdict.UNMET
    assert verdicts(firm | {"directory_first_year": 2026, "industry": 51104})["18.1", "held"] is Verdict.UNMET


def test_firms_elsewhere_do_not_count_and_a_blank_district_is_unknown() -> None:
    title = {"title_giant_until": LATER}
    assert verdicts(title | {"district": "320505"})["17.2", "held"] is Verdict.UNMET
    assert verdicts(title)["17.2", "held"] is Verdict.UNKNOWN


def test_the_version_in_force_on_the_day_decides() -> None:
    def of(day: date) -> dict[str, tuple[str, ...]]:
        targets = compile_targets(plan(), rulebook(), Period(day, "new")).targets
        return {compiled.target.id: compiled.standards for compiled in targets}

    assert of(date(2026, 3, 31))["17.2"] == ("giant.n63",)
    assert of(date(2026, 4, 1))["17.2"] == ("giant.n2",)
    assert of(date(2022, 1, 1))["17.2"] == ()
    assert ("17.2", "met") not in verdicts(
        SHANGHAI, compile_targets(plan(), rulebook(), Period(date(2022, 1, 1), "new"))
    )


def test_a_little_registry_counted_by_hand() -> None:
    firms: list[dict[str, Any]] = [
        {**SHANGHAI, "title_giant_until": LATER, "title_srdi_until": LATER},
        {"district": "310104", "title_giant_until": LATER, "title_srdi_until": NO_TITLE},
        {"district": "310104", "title_giant_until": None, "title_srdi_until": LATER},
        {"district": None, "title_giant_until": LATER, "title_srdi_until": EARLIER},
        {"district": "330402", "title_giant_until": LATER, "title_srdi_until": LATER},
        meeting("gazelle.gbt41464") | SHANGHAI,
    ]
    counts = counted(firms)
    assert (counts["17.2"]["held"], counts["17.2"]["held_unknown"]) == (2, 3)
    assert (counts["17.1"]["held"], counts["17.1"]["held_unknown"]) == (2, 1)
    assert (counts["16.2"]["held"], counts["16.2"]["met"]) == (0, 1)
    assert counts["16.2"]["met_unknown"] == 4


_DAYS = st.sampled_from([None, NO_TITLE, EARLIER, AS_OF, LATER])
_FIRMS = st.fixed_dictionaries(
    {
        "district": st.sampled_from([None, "310115", "310104", "320505"]),
        "industry": st.sampled_from([None, 39002, 39114, 65104, 70104]),
        "listed_board": st.sampled_from([None, "none", "star"]),
        "member_dragonhead": st.sampled_from([None, True, False]),
        "directory_first_year": st.sampled_from([None, 0, 2025, 2026]),
        "title_srdi_until": _DAYS,
        "title_giant_until": _DAYS,
        "title_hnte_until": _DAYS,
        "output_value_2022": st.sampled_from([None, 0, 10**10, 10**10 + 1]),
        "output_value_2025": st.sampled_from([None, 10**10, 10**10 + 1]),
        "rd_expense_2025": st.sampled_from([None, 0, 6_000_000]),
    }
)


@given(st.lists(_FIRMS, min_size=1, max_size=8))
@settings(deadline=None, max_examples=40)
def test_the_table_and_the_single_firm_agree(firms: list[dict[str, Any]]) -> None:
    whole = [meeting("srdi.n2", "giant.n2") | firm for firm in firms]
    frame = _frame(whole)
    for firm, row in zip(
        whole, TARGETS.with_masks(frame.lazy(), frame.columns).collect().iter_rows(named=True), strict=True
    ):
        for (target_id, basis), verdict in TARGETS.of_firm(firm).items():
            target = plan().target(target_id)
            assert target is not None
            assert row[MASKS[basis]] >> 2 * target.place & 3 == verdict


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: stock", "kind: heap", "R005"),
        ("title_hnte_until", "title_hnte_til", "R010"),
        ("family: srdi", "family: sdri", "R014"),
        ("unicorn.sh2025", "unicorn.sh2026", "R014"),
        ("place: 5\n", "place: 4\n", "R002"),
        ("place: 5\n", "place: 15\n", "R005"),
        ('id: "16.4"', 'id: "16.3"', "R002"),
        ("at_most: 100亿", "at_most: 100人", "R012"),
        ("    held: null\n    no_held", "    held: null\n    no_hold", "R003"),
        ("value: 25000", 'value: "25000"', "R005"),
        ("at: 2023-05,", "at: spring,", "R005"),
        ("    met: {standards: [hnte.n32]}", "    met: {}", "R003"),
    ],
)
def test_a_slip_is_told_by_file_and_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = seed("plan", "manufacturing-2023-2025.yaml").read_text("utf-8")
    assert old in text
    file = tmp_path / "manufacturing-2023-2025.yaml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(RulesRefused) as caught:
        load_plan(file, seed(), rulebook(), catalogue())
    assert f"plan/{file.name}:" in str(caught.value)
    assert said in str(caught.value)
