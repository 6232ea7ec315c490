"""Editions in a bucket: a host that never saw the import reads the same registry."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from models.errors import Text
from models.registry.editions import edition_key
from models.registry.merged import read_registry
from models.registry.state import read_state
from models.registry.tables import edition
from models.registry.verifying import verify
from models.settings import Settings
from models.store import StoreFull, store_of
from tests.buckets import CREDENTIALS, bucket
from tests.registry.conftest import SEPTEMBER, A, B, C, Shelf

ROWS = [
    {"uscc": A, "name": "甲", "revenue_2025": 1, "district": "310115"},
    {"uscc": B, "name": "乙", "revenue_2025": 2, "district": "310104"},
]


@pytest.fixture(scope="module")
def bucket_url() -> Iterator[str]:
    with bucket() as url, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield url


@pytest.fixture
def here(shelf: Shelf, bucket_url: str) -> Shelf:
    """The importing host."""
    url = bucket_url.replace("/registry?", f"/{shelf.folder.name}?")
    return replace(shelf, settings=replace(shelf.settings, store=url))


@pytest.fixture
def there(here: Shelf, tmp_path: Path) -> Settings:
    """Another host: the same database and bucket, a folder of its own."""
    return replace(here.settings, data=tmp_path / "elsewhere")


def registry(shelf: Shelf, settings: Settings) -> pl.DataFrame:
    with shelf.database.read() as connection:
        read = read_registry(connection, settings, read_state(connection))
    return pl.concat(read.buckets(["revenue_2025"])).drop("first").sort("uscc")


def test_another_host_reads_what_was_imported(here: Shelf, there: Settings) -> None:
    here.bring(ROWS)
    here.bring([{"uscc": C, "name": "丙", "revenue_2025": 3}], SEPTEMBER, "later.csv")
    assert registry(here, there)["revenue_2025"].to_list() == [1, 2, 3]
    assert registry(here, there).equals(registry(here, here.settings))
    assert verify(here.database, there).findings == ()
    assert not there.editions.exists()


def test_an_emptied_cache_is_filled_again(here: Shelf, there: Settings) -> None:
    here.bring(ROWS)
    before = registry(here, there)
    shutil.rmtree(there.data)
    assert registry(here, there).equals(before)


def test_a_file_that_the_store_lost_is_found_by_verifying(here: Shelf, there: Settings) -> None:
    done = here.bring(ROWS)
    store_of(there).delete(f"{edition_key(done.edition_hash)}/part-03.parquet")
    for settings in (there, here.settings):
        assert [found.place for found in verify(here.database, settings).findings] == ["part-03.parquet"]


def test_an_edition_that_did_not_reach_the_store_is_never_ready(
    here: Shelf, there: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = here.bring(ROWS)
    later = [{"uscc": C, "name": "丙", "revenue_2025": 3}]

    def full(settings: Settings, folder: Path) -> None:
        store_of(settings).put(next(folder.glob("part-*")), f"{edition_key(folder.name)}/part-00.parquet")
        raise StoreFull("T001", Text("满了", "full"))

    with monkeypatch.context() as patch:
        patch.setattr("models.registry.importing.publish", full)
        with pytest.raises(StoreFull):
            here.bring(later, SEPTEMBER, "later.csv")
    assert here.state.edition_id == first.edition_id
    again = here.bring(later, SEPTEMBER, "later.csv")
    assert here.count(edition) == 2
    assert len(store_of(there).list(edition_key(again.edition_hash))) == 17
    assert registry(here, there).height == 3
