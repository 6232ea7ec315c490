"""The same firms under two sets of rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from models.cli.commands import cli
from models.errors import UsageRefused
from models.impacts.pairs import Comparison, compare
from models.impacts.run import impact_of_file
from models.impacts.tally import change_of, deciding_side
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook, rulebook
from models.scoring import Request, score
from models.seeds import seed
from models.verdict import Verdict
from tests.firms import AS_OF
from tests.impacts.conftest import Rules, load
from tests.registry.conftest import A, B, C, D, write_rows

PERIOD = Period(AS_OF, "new")
STAFF = "at_least: 10人"
DEMO = seed("demo", "firms.csv")
FIRMS: list[dict[str, Any]] = [
    {"uscc": uscc, "name": name, "district": district, "industry": industry, "employees_2022": base,
     "employees_2025": 90}
    for uscc, name, district, industry, base in (
        (A, "甲", "310115", "3911", 15),
        (B, "乙", "310115", "6510", 25),
        (C, "丙", "310104", "", ""),
        (D, "丁", "", "3911", 5),
    )
]  # fmt: skip
NOTHING = {
    "gained": 0, "lost": 0, "newly_unknown": 0, "newly_known": 0, "otherwise": 0, "unchanged": 0,
}  # fmt: skip


@pytest.fixture
def firms(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "firms.csv", FIRMS)


def oecd(path: Path, a: Rulebook, b: Rulebook) -> dict[str, Any]:
    answer = impact_of_file(path, compare(a, b), PERIOD)
    assert [pair["a"]["id"] for pair in answer["pairs"]] == ["hge.oecd"]
    pair: dict[str, Any] = answer["pairs"][0]
    return pair


def test_a_higher_line_loses_who_stood_between_and_the_clause_is_named(firms: Path, rules: Rules) -> None:
    pair = oecd(firms, rulebook(), load(rules("hge.oecd", STAFF, "at_least: 20人")))
    assert pair["counts"] == NOTHING | {"lost": 1, "unchanged": 3}
    assert pair["from_to"]["met"] == {"unmet": 1, "unknown": 0, "review": 0, "met": 1}
    (condition,) = pair["conditions"]["lost"]
    assert (condition["side"], condition["standard"], condition["condition"]) == (
        "b",
        "hge.oecd",
        "staff_base",
    )
    assert "20人" in condition["text"]["zh"]
    assert (condition["firms"], condition["alone"]) == (1, 1)
    assert pair["districts"] == [
        {"district": "310104", "name": "徐汇区", **NOTHING, "unchanged": 1},
        {"district": "310115", "name": "浦东新区", **NOTHING, "lost": 1, "unchanged": 1},
        {"district": None, "name": "未填", **NOTHING, "unchanged": 1},
    ]
    assert [(one["section"], one["lost"]) for one in pair["sections"]] == [("C", 1), ("I", 0), (None, 0)]


def test_swapping_the_sides_swaps_gained_and_lost(firms: Path, rules: Rules) -> None:
    stricter = load(rules("hge.oecd", STAFF, "at_least: 20人"))
    there, back = oecd(firms, rulebook(), stricter), oecd(firms, stricter, rulebook())
    assert back["counts"] == {**there["counts"], "gained": there["counts"]["lost"], "lost": 0}
    (condition,) = back["conditions"]["gained"]
    assert (condition["side"], condition["condition"], condition["firms"]) == ("a", "staff_base", 1)


def test_a_new_condition_on_a_figure_nobody_gave_makes_firms_unknown(firms: Path, rules: Rules) -> None:
    new = f"{STAFF}}}\n  - {{id: revenue_line, quantity: revenue_1, at_least: 100万"
    asks_more = load(rules("hge.oecd", STAFF, new))
    pair = oecd(firms, rulebook(), asks_more)
    assert pair["counts"] == NOTHING | {"lost": 2, "unchanged": 2}
    assert pair["from_to"]["met"]["unknown"] == 2
    assert {one["condition"]: one["alone"] for one in pair["conditions"]["lost"]} == {"revenue_line": 2}


def test_identical_standards_change_nothing(firms: Path) -> None:
    book = rulebook()
    answer = impact_of_file(firms, compare(book, book, [("hge.oecd", "hge.oecd")]), PERIOD)
    assert answer["pairs"][0]["counts"] == NOTHING | {"unchanged": 4}
    assert not any(answer["pairs"][0]["conditions"].values())
    nothing = compare(book, book)
    assert nothing.pairs == ()
    assert "hge.oecd" in nothing.same


def test_no_readable_firm_is_an_answer_of_zeros(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "bad.csv", [{"uscc": "123", "name": "甲", "employees_2022": 1}])
    answer = impact_of_file(path, compare(rulebook(), rulebook(), [("srdi.n63", "srdi.n2")]), PERIOD)
    assert (answer["firms"], answer["unreadable"]) == (0, 1)
    assert answer["pairs"][0]["counts"] == NOTHING
    assert answer["pairs"][0]["districts"] == []


@pytest.mark.parametrize("pair", [("srdi.n63", "srdi.n2"), ("giant.n63", "giant.n2")])
def test_every_verdict_is_the_one_that_scoring_gives(pair: tuple[str, str], tmp_path: Path) -> None:
    result = tmp_path / "result.parquet"
    score(rulebook(), Request(DEMO, result, AS_OF, standards=pair))
    scored = Counter(pl.read_parquet(result).select(pair).iter_rows())
    answer = impact_of_file(DEMO, compare(rulebook(), rulebook(), [pair]), PERIOD)
    found = answer["pairs"][0]["from_to"]
    assert {(a, b): n for a, row in found.items() for b, n in row.items() if n} == dict(scored)
    assert sum(answer["pairs"][0]["counts"].values()) == 2000


def test_both_ways_over_the_demo_registry_mirror_each_other() -> None:
    def between(a: str, b: str) -> dict[str, Any]:
        comparison: Comparison = compare(rulebook(), rulebook(), [(a, b)])
        pair: dict[str, Any] = impact_of_file(DEMO, comparison, PERIOD)["pairs"][0]
        return pair

    there, back = between("srdi.n63", "srdi.n2"), between("srdi.n2", "srdi.n63")
    mirrored = {
        "gained": "lost",
        "lost": "gained",
        "newly_unknown": "newly_known",
        "newly_known": "newly_unknown",
    }
    other = {"a": "b", "b": "a"}
    assert back["counts"] == {mirrored.get(c, c): n for c, n in there["counts"].items()}
    for change, conditions in there["conditions"].items():
        seen = {(other[one["side"]], one["condition"], one["firms"]) for one in conditions}
        assert seen == {
            (one["side"], one["condition"], one["firms"])
            for one in back["conditions"][mirrored.get(change, change)]
        }


def test_the_sixteen_ways_of_changing_are_five_and_none() -> None:
    for a in Verdict:
        for b in Verdict:
            change, back = change_of(a, b), change_of(b, a)
            assert (change == "unchanged") == (a == b)
            assert (change == "gained") == (b == Verdict.MET != a) == (back == "lost")
            if a != b:
                assert deciding_side(a, b) != deciding_side(b, a)


def test_what_cannot_be_compared_is_refused() -> None:
    for pairs, code in ([("size.n300", "size.n300")], "I002"), ([("srdi.n9", "srdi.n2")], "R404"):
        with pytest.raises(UsageRefused) as caught:
            compare(rulebook(), rulebook(), pairs)
        assert caught.value.code == code


def test_the_command_compares_a_file_and_says_the_clause(firms: Path, rules: Rules) -> None:
    stricter = rules("hge.oecd", STAFF, "at_least: 20人")
    arguments = ["impact", str(firms), "--rules-b", str(stricter), "--as-of", "2026-06-30"]
    shown = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert shown.exit_code == 0
    assert "不再达标 lost 1" in shown.output
    assert "hge.oecd/staff_base" in shown.output


def test_the_command_over_one_rulebook_without_pairs_says_what_to_give(firms: Path) -> None:
    with pytest.raises(UsageRefused) as caught:
        CliRunner().invoke(cli, ["impact", str(firms), "--as-of", "2026-06-30"], catch_exceptions=False)
    assert caught.value.code == "I003"
