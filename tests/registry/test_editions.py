"""Editions on the shelf: which is active, whether they are sound, and what can be taken out again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from models.errors import UsageRefused
from models.registry.editions import edition_folder
from models.registry.export import export
from models.registry.listing import find_edition, list_editions
from models.registry.tables import audit, facts, standing
from models.registry.titles import ListTerms
from models.registry.verifying import verify
from models.seeds import seed
from tests.registry.conftest import ACTOR, NOW, SEPTEMBER, A, B, C, Shelf

DEMO = seed("demo", "firms.csv")
ROWS = [
    {"uscc": A, "name": "甲", "revenue_2025": 1, "district": "310115"},
    {"uscc": B, "name": "乙", "revenue_2025": 2, "district": "310104"},
]


def found(shelf: Shelf) -> list[tuple[str, str]]:
    return [(one.place, one.what.en) for one in verify(shelf.database, shelf.settings).findings]


def test_the_list_says_which_edition_is_active_and_what_lies_below(shelf: Shelf) -> None:
    first = shelf.bring(ROWS)
    second = shelf.bring([{"uscc": C, "name": "丙"}], SEPTEMBER, "later.csv")
    shelf.activate(first.edition_id)
    with shelf.database.read() as connection:
        shown = [(one.id, one.active, one.visible) for one in list_editions(connection)]
        by_hash = find_edition(connection, second.edition_hash[:12])
    assert shown == [(first.edition_id, True, True), (second.edition_id, False, False)]
    assert by_hash.id == second.edition_id


def test_activating_counts_as_a_change_and_twice_changes_nothing(shelf: Shelf) -> None:
    first = shelf.bring(ROWS)
    shelf.bring([{"uscc": C, "name": "丙"}], SEPTEMBER, "later.csv")
    done = shelf.activate(first.edition_id)
    assert (done.run_id, done.already) == (first.run_id, False)
    assert shelf.state.registry_version == 3
    assert shelf.activate(first.edition_id).already
    assert shelf.state.registry_version == 3
    assert shelf.count(audit, audit.c.action == "registry.activate") == 1


def test_activating_judges_anew_when_a_list_came_meanwhile(shelf: Shelf) -> None:
    first = shelf.bring(ROWS)
    shelf.bring([{"uscc": C, "name": "丙"}], SEPTEMBER, "later.csv")
    shelf.take(f"统一社会信用代码,有效期至\n{A},2028-06-30\n", ListTerms("giant", SEPTEMBER))
    done = shelf.activate(first.edition_id)
    assert done.judged_anew
    assert shelf.count(standing, standing.c.run_id == done.run_id) == 2


@pytest.mark.parametrize("which", ["99", "abc", "ffffffff", "'; --"])
def test_an_unknown_edition_is_refused(shelf: Shelf, which: str) -> None:
    shelf.bring(ROWS)
    with shelf.database.read() as connection, pytest.raises(UsageRefused) as refused:
        find_edition(connection, which)
    assert refused.value.code == "G004"


def test_a_sound_registry_verifies(shelf: Shelf) -> None:
    shelf.bring_file(DEMO)
    sound = verify(shelf.database, shelf.settings)
    assert (sound.editions, sound.files, sound.firms, sound.findings) == (1, 17, 2000, ())


def test_a_flipped_byte_a_missing_part_and_a_changed_manifest_are_found(shelf: Shelf) -> None:
    done = shelf.bring_file(DEMO)
    folder = edition_folder(shelf.settings, done.edition_hash)
    part = folder / "part-03.parquet"
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    (folder / "part-05.parquet").unlink()
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"firms": 2000', '"firms": 2001'), "utf-8")
    assert found(shelf) == [
        ("manifest.json", "the manifest file was changed"),
        ("part-03.parquet", "the file was changed"),
        ("part-05.parquet", "the file is missing"),
    ]
    shutil.rmtree(folder)
    assert len(found(shelf)) == 17


def test_changed_lost_and_added_rows_of_the_database_are_found(shelf: Shelf) -> None:
    done = shelf.bring([*ROWS, {"uscc": C, "name": "丙"}])
    with shelf.database.write() as connection:
        connection.execute(
            update(facts).where(facts.c.uscc == A).values(document='{"name":"甲","revenue_2025":9}')
        )
        connection.execute(delete(facts).where(facts.c.uscc == B))
        added = {"uscc": "9" * 18, "edition_id": done.edition_id, "document": "{}"}
        connection.execute(insert(facts).values(added))
    assert found(shelf) == [
        ("9" * 18, "a firm in the database that the edition has not"),
        (B, "the database lacks the firm"),
        (A, "the firm's figures in the database were changed"),
    ]


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_an_export_read_again_gives_the_same_facts(shelf: Shelf, tmp_path: Path, ending: str) -> None:
    shelf.bring_file(DEMO)
    one, other = "91310117XX000001YQ", "91310109XX000000Y5"
    shelf.correct(
        one, revenue_2025=120, title_srdi_until="2028-06-30", industry="0111", established_on="2001-02-03"
    )
    shelf.take(
        f"统一社会信用代码,有效期至\n{other},2028-06-30\n", ListTerms("giant", SEPTEMBER, complete=True)
    )
    codes = [one, other]
    before = {uscc: shelf.firms([uscc])[uscc].external for uscc in codes}
    path = tmp_path / f"out.{ending}"
    assert export(shelf.database, shelf.settings, path, actor=ACTOR, now=NOW) == 2000
    assert shelf.count(audit, audit.c.action == "registry.export") == 1
    again = shelf.bring_file(path, SEPTEMBER)
    assert (again.manifest.firms, again.manifest.rejected, again.changed_firms) == (2000, 0, 0)
    after = shelf.firms(codes)
    assert {uscc: after[uscc].external for uscc in codes} == before
    assert after[one].facts["revenue_2025"].source == "upload"


def test_an_export_that_cannot_be_written_is_refused_and_not_recorded(shelf: Shelf, tmp_path: Path) -> None:
    shelf.bring(ROWS)
    with pytest.raises(Exception, match="E404"):
        export(shelf.database, shelf.settings, tmp_path / "out.pdf", actor=ACTOR, now=NOW)
    assert shelf.count(audit, audit.c.action == "registry.export") == 0
