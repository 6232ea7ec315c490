"""A result is written whole or not at all, and a refusal says why."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import polars as pl
import pytest
import xlsxwriter

from models.errors import TiduiError
from models.tabular.output import atomic_output, check_output


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fail_half_way(target: Path, error: BaseException) -> None:
    with atomic_output(target) as part:
        part.write_text("half")
        raise error


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    given = [sys.executable, "-c", dedent(code), *map(str, arguments)]
    return subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_writes_under_the_final_name_only_when_done(tmp_path: Path) -> None:
    target = tmp_path / "结果.csv"
    target.write_text("old")
    with atomic_output(target) as part:
        assert part.parent == tmp_path
        assert part.name.startswith(".结果.csv.")
        part.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert leftovers(tmp_path) == ["结果.csv"]


def test_writes_through_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    link.symlink_to(real)
    with atomic_output(link) as part:
        part.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("a slip"), MemoryError()])
def test_leaves_nothing_behind_when_something_else_fails(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "r.parquet"
    target.write_text("old")
    with pytest.raises(type(error)):
        fail_half_way(target, error)
    assert target.read_text() == "old"
    assert leftovers(tmp_path) == ["r.parquet"]


@pytest.mark.parametrize("name", ["r.xls", "r.txt", "r", "r.csv.gz"])
def test_refuses_another_ending(tmp_path: Path, name: str) -> None:
    with pytest.raises(TiduiError, match="E404"):
        check_output(tmp_path / name)


def test_takes_an_ending_in_capitals(tmp_path: Path) -> None:
    check_output(tmp_path / "R.CSV")


def test_refuses_the_input(tmp_path: Path) -> None:
    source, link = tmp_path / "firms.csv", tmp_path / "also.csv"
    source.write_text("x")
    link.symlink_to(source)
    for path in (source, link, tmp_path / "." / "firms.csv"):
        with pytest.raises(TiduiError, match="E405"):
            check_output(path, source)
    check_output(tmp_path / "other.csv", source)


def test_refuses_a_missing_folder_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(TiduiError, match="no such folder"):
        check_output(tmp_path / "none" / "r.csv")
    with pytest.raises(TiduiError, match="E401"):
        check_output(tmp_path / "folder.csv")


def test_refuses_where_it_may_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(TiduiError, match="not writable"):
        check_output(tmp_path / "r.csv")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "E402"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "E402"),
        (OSError(errno.EFBIG, "File too large"), "E402"),
        (pl.exceptions.ComputeError("IO error: No space left on device (os error 28)"), "E402"),
        (xlsxwriter.exceptions.FileCreateError(OSError(errno.ENOSPC, "No space left on device")), "E402"),
        (OSError(errno.EACCES, "Permission denied"), "E401"),
        (pl.exceptions.ComputeError("Input/output error (os error 5)"), "E401"),
    ],
)
def test_names_what_the_system_says(tmp_path: Path, error: Exception, code: str) -> None:
    with pytest.raises(TiduiError, match=code):
        fail_half_way(tmp_path / "r.csv", error)
    assert leftovers(tmp_path) == []


def test_leaves_an_error_of_the_query_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(pl.exceptions.ColumnNotFoundError), atomic_output(tmp_path / "r.csv"):
        pl.DataFrame({"a": [1]}).select("b")


LIMITED = """
    import resource, sys
    from pathlib import Path
    import polars as pl
    from models.errors import TiduiError
    from models.tabular.output import atomic_output
    path = Path(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    frame = pl.LazyFrame({"a": range(200_000)}).with_columns(b=pl.col("a").hash())
    try:
        with atomic_output(path) as part:
            (frame.sink_csv if path.suffix == ".csv" else frame.sink_parquet)(part, engine="streaming")
    except TiduiError as error:
        print(error.code)
"""


@pytest.mark.parametrize("name", ["r.csv", "r.parquet"])
def test_a_full_disk_is_said_plainly(tmp_path: Path, name: str) -> None:
    with child(LIMITED, tmp_path / name) as process:
        said, complaint = process.communicate(timeout=60)
    assert said.strip() == "E402", complaint
    assert leftovers(tmp_path) == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_disk_that_is_really_full(tiny_disk: Path, ending: str) -> None:
    frame = pl.LazyFrame({"a": range(300_000)}).with_columns(b=pl.col("a").hash())
    with pytest.raises(TiduiError, match="E402"), atomic_output(tiny_disk / f"r.{ending}") as part:
        (frame.sink_csv if ending == "csv" else frame.sink_parquet)(part, engine="streaming")
    assert leftovers(tiny_disk) == []


INTERRUPTED = """
    import sys
    from pathlib import Path
    import polars as pl
    from models.tabular.output import atomic_output, sigterm_as_interrupt
    endless = pl.LazyFrame({"a": range(3_000)}).join(pl.LazyFrame({"b": range(300_000)}), how="cross")
    slow = endless.filter(pl.col("a").hash() + pl.col("b").hash() == 0)
    try:
        with sigterm_as_interrupt(), atomic_output(Path(sys.argv[1])) as part:
            part.touch()
            print("writing", flush=True)
            slow.sink_csv(part, engine="streaming")
    except KeyboardInterrupt:
        print("stopped")
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_file(tmp_path: Path, sent: signal.Signals) -> None:
    with child(INTERRUPTED, tmp_path / "r.csv") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        time.sleep(0.3)
        process.send_signal(sent)
        said, complaint = process.communicate(timeout=60)
    assert said.strip() == "stopped", complaint
    assert leftovers(tmp_path) == []
