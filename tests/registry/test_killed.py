"""kill -9 amid an import: the old edition stays, nothing is half visible, and it can begin again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from models.registry.lock import Busy
from models.registry.search.find import search_firms
from models.registry.tables import edition, facts, firm, run, standing
from models.registry.verifying import verify
from models.seeds import ROOT
from tests.registry.conftest import SEPTEMBER, Shelf, code, write_rows
from tests.registry.importer import LAST

BEFORE = [{"uscc": code(at), "name": f"上海老店{at}号商行", "district": "310115"} for at in range(40)]
AFTER = [{"uscc": code(at), "name": f"上海新铺{at}号商行", "district": "310104"} for at in range(20, 80)]
POINTS = ("reading", "facts", "names", "firms", "standing", LAST)


@contextmanager
def stopped_at(shelf: Shelf, file: Path, point: str) -> Iterator[None]:
    """Another process is importing ``file`` and has come to ``point``; killed afterwards."""
    arguments = (shelf.database.url, str(shelf.settings.data), str(file), SEPTEMBER.isoformat(), point)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.registry.importer", *arguments],
        cwd=ROOT.parent,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == point
            yield
        finally:
            child.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_import_leaves_everything_as_it_was_and_can_be_repeated(shelf: Shelf, point: str) -> None:
    first = shelf.bring(BEFORE)
    file = write_rows(shelf.folder / "later.csv", AFTER)
    with stopped_at(shelf, file, point):
        pass
    assert_unchanged(shelf, first.edition_id)
    again = shelf.bring_file(file, SEPTEMBER)
    assert not again.already
    assert shelf.state.lineage == (again.edition_id, first.edition_id)
    assert shelf.count(edition) == 2
    assert shelf.count(firm) == 80
    assert shelf.count(facts) == 100
    assert shelf.count(standing, standing.c.run_id == again.run_id) == 80
    assert shelf.count(run, run.c.status == "running") == 0
    assert shelf.firm(code(20)).former_names == ("上海老店20号商行",)
    assert names(shelf, "新铺79号") == [code(79)]
    assert len(list(shelf.settings.editions.iterdir())) == 2
    assert verify(shelf.database, shelf.settings).findings == ()


def test_a_second_import_at_the_same_time_is_refused_clearly(shelf: Shelf) -> None:
    first = shelf.bring(BEFORE)
    file = write_rows(shelf.folder / "later.csv", AFTER)
    with stopped_at(shelf, file, "facts"):
        with pytest.raises(Busy) as busy:
            shelf.bring([{"uscc": code(1), "name": "丙"}], SEPTEMBER, "third.csv")
        assert (busy.value.code, busy.value.status) == ("G001", 409)
        # Look-ups and corrections go on meanwhile.
        assert shelf.correct(code(1), revenue_2025=5) == 2
    assert_unchanged(shelf, first.edition_id)
    shelf.bring_file(file, SEPTEMBER)
    assert shelf.firm(code(1)).external["revenue_2025"] == 5


def assert_unchanged(shelf: Shelf, edition_id: int) -> None:
    state = shelf.state
    assert (state.edition_id, state.lineage, state.registry_version) == (edition_id, (edition_id,), 1)
    found = shelf.firms([code(at) for at in range(80)])
    assert list(found) == [code(at) for at in range(40)]
    assert all(
        one.name and one.name.startswith("上海老店") and one.district == "310115" for one in found.values()
    )
    assert names(shelf, "新铺") == []
    with shelf.database.read() as connection:
        current = connection.execute(select(run.c.edition_id).where(run.c.id == state.run_id)).scalar_one()
    assert current == edition_id


def names(shelf: Shelf, scrap: str) -> list[str]:
    with shelf.database.read() as connection:
        hits = search_firms(connection, shelf.state, scrap).hits
        return [hit.uscc for hit in hits if scrap in hit.matched_name]
