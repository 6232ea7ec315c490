"""Files by key: the same of a folder and of a bucket."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.settings import Settings
from models.store import BucketStore, FolderStore, NotStored, Store, StoreAway, StoreFull, store_of
from tests.buckets import CREDENTIALS, bucket


@pytest.fixture(scope="module")
def bucket_url() -> Iterator[str]:
    with bucket() as url, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield url


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    where: str | None = None
    if request.param == "bucket":
        url: str = request.getfixturevalue("bucket_url")
        where = url.replace("/registry?", f"/{tmp_path.name}?")
    return store_of(Settings(data=tmp_path / "data", database_url="", redis_url=None, store=where))


def _file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "local"
    path.write_bytes(content)
    return path


def test_what_is_put_is_fetched(store: Store, tmp_path: Path) -> None:
    content = os.urandom(12 * 2**20)  # more than one part of a multipart upload
    store.put(_file(tmp_path, content), "runs/7/part-0001.parquet")
    assert store.exists("runs/7/part-0001.parquet")
    assert store.fetch("runs/7/part-0001.parquet").read_bytes() == content
    assert store.fetch("runs/7/part-0001.parquet") == store.fetch("runs/7/part-0001.parquet")


def test_an_empty_file_is_a_file(store: Store, tmp_path: Path) -> None:
    store.put(_file(tmp_path, b""), "uploads/a/file")
    assert store.fetch("uploads/a/file").read_bytes() == b""


def test_what_is_put_again_takes_the_place_of_the_first(store: Store, tmp_path: Path) -> None:
    store.put(_file(tmp_path, b"first"), "uploads/a/file")
    assert store.fetch("uploads/a/file").read_bytes() == b"first"
    store.put(_file(tmp_path, b"and a second"), "uploads/a/file")
    assert store.fetch("uploads/a/file").read_bytes() == b"and a second"


def test_what_is_listed_is_what_was_put(store: Store, tmp_path: Path) -> None:
    assert store.list() == store.list("runs") == []
    for key in ("runs/2/b", "runs/2/a", "runs/21/a", "uploads/x/file"):
        store.put(_file(tmp_path, b"1"), key)
    assert store.list("runs/2") == ["runs/2/a", "runs/2/b"]
    assert store.list() == ["runs/2/a", "runs/2/b", "runs/21/a", "uploads/x/file"]


def test_deleting_takes_what_lies_below_and_nothing_beside(store: Store, tmp_path: Path) -> None:
    for key in ("runs/2/a", "runs/2/b", "runs/21/a"):
        store.put(_file(tmp_path, b"1"), key)
        store.fetch(key)
    store.delete("runs/2")
    store.delete("runs/2")
    assert store.list("runs") == ["runs/21/a"]
    with pytest.raises(NotStored):
        store.fetch("runs/2/a")
    store.delete("runs/21/a")
    assert not store.exists("runs/21/a")


def test_a_missing_file_is_named(store: Store) -> None:
    assert not store.exists("runs/9/part-0001.parquet")
    with pytest.raises(NotStored) as caught:
        store.fetch("runs/9/part-0001.parquet")
    assert caught.value.code == "T003"
    assert "runs/9/part-0001.parquet" in caught.value.message.zh


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../b", "a//b", ".hidden", "a/.b"])
def test_a_key_stays_within_the_store(store: Store, key: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        store.put(_file(tmp_path, b"1"), key)


def test_many_put_the_same_key_at_once_and_it_is_one_of_them_whole(store: Store, tmp_path: Path) -> None:
    contents = [bytes([number]) * 300_000 for number in range(8)]
    locals_ = [tmp_path / f"local{number}" for number in range(8)]
    for local, content in zip(locals_, contents, strict=True):
        local.write_bytes(content)
    threads = [threading.Thread(target=store.put, args=(local, "runs/1/a")) for local in locals_]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.fetch("runs/1/a").read_bytes() in contents
    assert store.list() == ["runs/1/a"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path / "store")
    store.put(_file(tmp_path, b"before"), "runs/1/a")

    def to_the_full_device(source: Path, target: Path) -> None:
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(source.read_bytes())

    monkeypatch.setattr("models.store.shutil.copyfile", to_the_full_device)
    with pytest.raises(StoreFull) as caught:
        store.put(_file(tmp_path, b"after"), "runs/1/a")
    assert (caught.value.code, caught.value.status) == ("T001", 507)
    assert store.fetch("runs/1/a").read_bytes() == b"before"
    assert store.list() == ["runs/1/a"]


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(StoreAway) as caught:
        FolderStore(tmp_path / "store").put(_file(tmp_path, b"1"), "runs/1/a")
    assert caught.value.code == "T004"


def test_a_bucket_that_is_not_there_and_one_that_is_away(bucket_url: str, tmp_path: Path) -> None:
    other = BucketStore(bucket_url.replace("s3://tidui/", "s3://nobody/"), tmp_path / "cache")
    with pytest.raises((NotStored, StoreAway)):
        other.put(_file(tmp_path, b"1"), "a")
    away = BucketStore(
        "s3://tidui/x?endpoint_override=127.0.0.1:9&region=us-east-1&scheme=http", tmp_path / "cache"
    )
    with pytest.raises(StoreAway) as caught:
        away.fetch("a")
    assert caught.value.code == "T004"


def test_a_copy_that_broke_off_is_not_taken_for_the_file(bucket_url: str, tmp_path: Path) -> None:
    store = BucketStore(bucket_url, tmp_path / "cache")
    store.put(_file(tmp_path, b"0123456789"), "uploads/b/file")
    half = tmp_path / "cache/uploads/b/file"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"01234")
    assert store.fetch("uploads/b/file").read_bytes() == b"0123456789"
