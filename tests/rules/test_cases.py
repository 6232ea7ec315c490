"""Every policy case, by both readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from tests.rules.case_files import (
    Answer,
    Case,
    case_files,
    firm_answers,
    load_cases,
    standards,
    table_answers,
)


def test_every_standard_has_a_case_file() -> None:
    assert not set(rulebook().packs) - set(case_files()), "缺判例文件"
    assert not set(case_files()) - set(rulebook().packs), "没有这样的标准"


@pytest.mark.parametrize("standard", case_files())
@pytest.mark.parametrize("read", [table_answers, firm_answers])
def test_cases(standard: str, read: Callable[[str, Period, Sequence[Case]], list[Answer]]) -> None:
    mistakes = [
        mistake
        for period, cases in load_cases(standard).by_period().items()
        for case, answer in zip(cases, read(standard, period, cases), strict=True)
        for mistake in case.mistakes(answer)
    ]
    assert not mistakes, "\n" + "\n".join(mistakes)


@pytest.mark.parametrize("standard", case_files())
def test_missing_names_every_input(standard: str) -> None:
    file = load_cases(standard)
    compiled = standards(standard, file.period)
    inputs = compiled.program.inputs(compiled.compiled[standard].shown_slots())
    assert set(file.missing) == inputs
