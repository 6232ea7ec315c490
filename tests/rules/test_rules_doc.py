"""The worked example of docs/rules.md works as written."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from models.fields import catalogue
from models.rules.diff import diff_packs
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook, load_rulebook
from models.seeds import ROOT

DOC = ROOT.parent / "docs" / "rules.md"
IN_2028 = Period(date(2028, 6, 30), "new")


@pytest.fixture
def next_year(tmp_path: Path) -> Rulebook:
    """The rulebook with the documented steps taken."""
    blocks = dict(re.findall(r"```yaml (\S+)\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL))
    for part in ("rules", "programmes"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shared = (tmp_path / "rules" / "shared.yaml").read_text("utf-8")
    documents = shared.replace("documents:\n", f"documents:\n  {blocks['documents']}", 1)
    (tmp_path / "rules" / "shared.yaml").write_text(documents, "utf-8")
    (tmp_path / "rules" / "srdi.n9.yaml").write_text(blocks["srdi.n9.yaml"], "utf-8")
    ladder = (ROOT / "ladder.yaml").read_text("utf-8")
    before = "srdi: [srdi.n63, srdi.n2]\n"
    assert before in ladder
    (tmp_path / "ladder.yaml").write_text(ladder.replace(before, blocks["ladder"]), "utf-8")
    return load_rulebook(tmp_path, catalogue())


def test_the_new_version_is_the_ladder_s_from_its_first_day(next_year: Rulebook) -> None:
    for day, version in ((date(2027, 12, 31), "srdi.n2"), (date(2028, 1, 1), "srdi.n9")):
        found = next_year.version("srdi", Period(day, "new"))
        assert found is not None
        assert found.id == version


def test_the_difference_says_what_the_document_says(next_year: Rulebook) -> None:
    found = diff_packs(next_year["srdi.n2"], next_year["srdi.n9"], IN_2028)
    changes = {d.after_id or d.before_id: d.change for d in found}
    assert changes["revenue"] == "tightened"
    assert changes["debt_ratio"] == "tightened"
    assert changes["main_share"] == changes["niche_years"] == "same"
    assert changes["rd_ratio_2"] == changes["dev_score"] == "dropped"


@pytest.mark.parametrize(
    ("condition", "change"),
    [
        ("revenue_cagr", "added"),
        ("main_share", "tightened"),
        ("debt_ratio", "relaxed"),
        ("niche_years", "same"),
        ("information_system", "dropped"),
        ("ip_counted", "added"),
        ("rd_sum", "changed"),
        ("revenue", "changed"),
        ("niche_share", "relaxed"),
        ("own_brand", "dropped"),
    ],
)
def test_little_giants_of_2022_and_2026(condition: str, change: str) -> None:
    book = load_rulebook(ROOT, catalogue())
    found = diff_packs(book["giant.n63"], book["giant.n2"], Period(date(2026, 6, 30), "new"))
    assert {d.after_id or d.before_id: d.change for d in found}[condition] == change


def test_a_standard_beside_itself_is_the_same() -> None:
    book = load_rulebook(ROOT, catalogue())
    for pack in book:
        assert {d.change for d in diff_packs(pack, pack, IN_2028)} <= {"same"}, pack.id
