"""A changed threshold, operator, year offset, point or code in any pack must fail a policy case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest

from models.rules.compile import compile_pack
from models.rules.firm import write_function
from models.rules.pack import Pack
from models.rules.program import Builder
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from tests.rules.case_files import Case, answer, case_files, load_cases
from tests.rules.mutants import mutants

_FIVES = "得分都是5的倍数：没有59分，也没有19、14分"
_EVEN = "得分都是偶数"
_ABOVE_1YI = "营收1亿元以上、各年达到6%的，已按1亿元档（3%）达标"
_ABOVE_4 = "达到5%的也都达到更高一档的4%、3%"
_ABOVE_3 = "达到4%的也都达到更高一档的3%"
_YOUNG = "五年以内、1亿美元以上的，已按五年以内（5000万美元）达标"
_LOWER_LINE = "邻近行业自己的线更低、看同一个数：到了这条线，那条线必已到"
_OPEN = "sector_open 已使70为缺数据"
EQUIVALENT: Mapping[tuple[str, str], str] = {
    ("above_scale.nbs", "wholesale.sector: to 51994 +1"): _LOWER_LINE,
    ("above_scale.nbs", "services_2000.sector: from 76002 -1"): _LOWER_LINE,
    ("above_scale.nbs", "services_2000.sector: to 79994 +1"): _LOWER_LINE,
    ("above_scale.nbs", "services_2000.sector: from 84002 -1"): _LOWER_LINE,
    ("above_scale.nbs", "services_2000.sector: to 84994 +1"): _LOWER_LINE,
    ("above_scale.nbs", "services_1000.sector: from 83002 -1"): _LOWER_LINE,
    ("above_scale.nbs", "real_estate.sector: unclear 70002 dropped"): _OPEN,
    ("above_scale.nbs", "services_1000.sector: unclear 70002 dropped"): _OPEN,
    ("innovative.n63", "score: line -1"): _FIVES,
    ("innovative.n63", "score_innovation: line -1"): _FIVES,
    ("innovative.n63", "score_growth: line -1"): _FIVES,
    ("innovative.n63", "score_focus: line -1"): _FIVES,
    ("techsme.n115", "score: line -1"): _EVEN,
    ("techsme.n115", "staff_item: line +1"): "该项最低一档是4分：超过1分就是超过0分",
    ("giant.n63", "rd_over_5000.revenue_below: left out"): _ABOVE_1YI,
    ("giant.n63", "rd_over_5000.revenue_below: line +1元"): _ABOVE_1YI,
    ("giant.n63", "rd_over_5000.revenue_below: lt → le"): _ABOVE_1YI,
    ("hnte.n32", "rd_small.revenue: left out"): _ABOVE_4,
    ("hnte.n32", "rd_small.revenue: line +1元"): _ABOVE_4,
    ("hnte.n32", "rd_middle.revenue_below: left out"): _ABOVE_3,
    ("hnte.n32", "rd_middle.revenue_below: line +1元"): _ABOVE_3,
    ("potential_unicorn.torch", "older.above_5: left out"): _YOUNG,
    ("potential_unicorn.torch", "older.above_5: line -1年"): _YOUNG,
}
"""(standard, mutant) → why no firm can tell it from the pack."""


@pytest.mark.parametrize("standard", case_files())
def test_every_mutant_fails_a_case(standard: str) -> None:
    pack = rulebook()[standard]
    cases = sound_cases(standard)
    survivors = [mutant.name for mutant in mutants(pack) if not fails(mutant.pack, cases)]
    equivalent = {name for of, name in EQUIVALENT if of == standard}
    assert not set(survivors) - equivalent, "\n" + "\n".join(s for s in survivors if s not in equivalent)
    assert equivalent <= set(survivors), f"判例能分辨，应从表中删去：{equivalent - set(survivors)}"


Cases = Mapping[Period, list[Case]]


def sound_cases(standard: str) -> Cases:
    """Cases that the pack itself answers as they ask: only these can tell a mutant from it."""
    pack = rulebook()[standard]
    return {
        period: [case for case, wrong in _mistakes(pack, period, cases) if not wrong]
        for period, cases in load_cases(standard).by_period().items()
    }


def fails(pack: Pack, cases: Cases) -> bool:
    """Does a case get another answer than it asks for?"""
    return any(wrong for period, of in cases.items() for _, wrong in _mistakes(pack, period, of))


def _mistakes(pack: Pack, period: Period, cases: Sequence[Case]) -> Iterator[tuple[Case, list[str]]]:
    builder = Builder()
    compiled = compile_pack(builder, pack, period)
    run = write_function(builder.program(), [*compiled.shown_slots(), *compiled.labels.values()])
    return ((case, case.mistakes(answer(compiled, run(case.figures)))) for case in cases)
