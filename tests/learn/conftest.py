"""A small synthetic history and models that learned from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from models.learn.history import History, read_history
from models.learn.synth import write_history
from models.learn.train import Trained, needed_fields, train
from models.rules.rulebook import rulebook

AS_OF = date(2026, 6, 30)
LEARNED_ON = date(2026, 11, 26)


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one table a year, 2020 to 2025, of 7,000 firms."""
    folder = tmp_path_factory.mktemp("history")
    write_history(7_000, 4, folder, AS_OF, years=6)
    return folder


@pytest.fixture(scope="session")
def history(tables: Path) -> Callable[[str], History]:
    def of(task: str) -> History:
        return read_history([tables], needed_fields(task, rulebook()))

    return of


@pytest.fixture(scope="session")
def above_scale(history: Callable[[str], History]) -> Trained:
    """Learned from outcomes up to 2024."""
    return train(history("above_scale"), "above_scale", 2024, rulebook(), LEARNED_ON)
