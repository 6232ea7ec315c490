"""A changed threshold, operator, year offset, point or code in any pack must fail a policy case."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from models.rules.compile import compile_pack
from models.rules.firm import write_function
from models.rules.pack import Pack
from models.rules.program import Builder
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from tests.rules.case_files import Case, CaseFile, answer, case_files, load_cases
from tests.rules.mutants import mutants

_FIVES = "得分都是5的倍数：没有59分，也没有19、14分"
_EVEN = "得分都是偶数"
EQUIVALENT: Mapping[tuple[str, str], str] = {
    ("innovative.n63", "score: line -1"): _FIVES,
    ("innovative.n63", "score_innovation: line -1"): _FIVES,
    ("innovative.n63", "score_growth: line -1"): _FIVES,
    ("innovative.n63", "score_focus: line -1"): _FIVES,
    ("techsme.n115", "score: line -1"): _EVEN,
    ("techsme.n115", "staff_item: line +1"): "该项最低一档是4分：超过1分就是超过0分",
}
"""(standard, mutant) → why no firm can tell it from the pack."""


@pytest.mark.parametrize("standard", case_files())
def test_every_mutant_fails_a_case(standard: str) -> None:
    file, pack = load_cases(standard), rulebook()[standard]
    survivors = [m.name for m in mutants(pack) if not fails(m.pack, file)]
    equivalent = {name for of, name in EQUIVALENT if of == standard}
    assert not set(survivors) - equivalent, "\n" + "\n".join(s for s in survivors if s not in equivalent)
    assert equivalent <= set(survivors), f"判例能分辨，应从表中删去：{equivalent - set(survivors)}"


def fails(pack: Pack, file: CaseFile) -> bool:
    """Does a case of the file get another answer than it asks for?"""
    return any(_fails(pack, period, cases) for period, cases in file.by_period().items())


def _fails(pack: Pack, period: Period, cases: list[Case]) -> bool:
    builder = Builder()
    compiled = compile_pack(builder, pack, period)
    run = write_function(builder.program(), [*compiled.shown_slots(), *compiled.labels.values()])
    return any(case.mistakes(answer(compiled, run(case.figures))) for case in cases)
