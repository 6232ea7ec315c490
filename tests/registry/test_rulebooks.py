"""Rulebooks are kept as their files and come back the same, or not at all."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from models.assessing import Assessor, Firm
from models.errors import RulesRefused
from models.fields import catalogue
from models.registry import rulebooks
from models.registry.database import Database
from models.registry.rulebooks import RulebookUnknown
from models.registry.tables import rulebook as table
from models.rules.rulebook import load_rulebook, rulebook
from models.seeds import seed

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NOBODY = Firm(None, None, {}, {})


def another(folder: Path) -> Path:
    """Seeds whose rules are not those that ship."""
    root = folder / "seeds"
    shutil.copytree(seed(), root)
    pack = root / "rules" / "srdi.n2.yaml"
    pack.write_text(pack.read_text("utf-8").replace("at_least: 1500万", "at_least: 1600万"), "utf-8")
    return root


def test_a_kept_rulebook_gives_the_same_answers(database: Database) -> None:
    with database.write() as connection:
        rulebooks.remember(connection, rulebook(), NOW)
        rulebooks.remember(connection, rulebook(), NOW)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(table)).scalar() == 1
        loaded = rulebooks.load(connection, rulebook().hash)
    assert loaded is not rulebook()
    day = date(2026, 6, 30)
    assert Assessor(loaded).sheet(day).assess(NOBODY) == Assessor(rulebook()).sheet(day).assess(NOBODY)


def test_an_older_rulebook_is_read_by_its_hash_beside_the_current_one(
    database: Database, tmp_path: Path
) -> None:
    root = another(tmp_path)
    older = load_rulebook(root, catalogue())
    with database.write() as connection:
        rulebooks.remember(connection, older, NOW, root=root)
        rulebooks.remember(connection, rulebook(), NOW)
    with database.read() as connection:
        assert rulebooks.load(connection, older.hash)["srdi.n2"].hash == older["srdi.n2"].hash
        assert rulebooks.load(connection, rulebook().hash)["srdi.n2"].hash != older["srdi.n2"].hash


def test_files_that_are_no_longer_what_was_loaded_are_not_kept(database: Database, tmp_path: Path) -> None:
    with pytest.raises(RulesRefused) as refused, database.write() as connection:
        rulebooks.remember(connection, rulebook(), NOW, root=another(tmp_path))
    assert refused.value.code == "R060"
    with database.read() as connection:
        assert not rulebooks.known(connection, rulebook().hash)


def test_a_rulebook_changed_in_the_database_is_refused(database: Database, tmp_path: Path) -> None:
    content = rulebooks.pack_files(another(tmp_path))
    with database.write() as connection:
        connection.execute(insert(table).values(hash=rulebook().hash, content=content, first_used=NOW))
    with pytest.raises(RulesRefused) as refused, database.read() as connection:
        rulebooks.load(connection, rulebook().hash)
    assert refused.value.code == "R060"


@pytest.mark.parametrize("wrong", ["0" * 64, "", "current", "../../etc/passwd", "A" * 64])
def test_an_unknown_hash_is_told(database: Database, wrong: str) -> None:
    with pytest.raises(RulebookUnknown), database.read() as connection:
        rulebooks.load(connection, wrong)


def test_the_same_files_are_packed_the_same() -> None:
    assert rulebooks.pack_files(seed()) == rulebooks.pack_files(seed())
