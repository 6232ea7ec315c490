"""``tidui upload``: check a file against the registry, and let it in if told to. Needs no worker."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from models.cli.database import database_for
from models.cli.operator import operator
from models.cli.options import Day, day_or_today, json_option
from models.cli.watch import watching
from models.errors import FileRefused, Text
from models.registry.database import Database
from models.settings import Settings, read_settings
from models.store import store_of
from models.tabular.issues import refusal
from models.uploads.check import check_next, error_book_state, write_errors
from models.uploads.confirm import confirm, import_next
from models.uploads.receive import incoming, keep
from models.uploads.rows import SETTLED, Mode, Upload, errors_key, find_upload

POLL_SECONDS = 1.0
_CHUNK = 1 << 20
_PATH = click.Path(path_type=Path)


def _now() -> datetime:
    return datetime.now(UTC)


@click.command()
@click.argument("file", type=_PATH)
@click.option("--dated", type=Day(), help="数据截至日期，默认今天。The day the figures are of.")
@click.option(
    "--confirm",
    "mode",
    type=click.Choice(["good_rows", "all_or_nothing"]),
    help="检查后随即导入：合格的行，或有一行不合格就都不导入。Let it in after the check.",
)
@click.option("--errors", type=_PATH, help="把错误表写到这里（.xlsx）。Where to write the error workbook.")
@json_option
def upload(file: Path, dated: date | None, mode: Mode | None, errors: Path | None, as_json: bool) -> None:
    """检查一份名册：每列当作什么、有什么错、与现行版本差在哪里；--confirm 随即导入。

    Check a file of firms and say what would change; --confirm lets it in.
    """
    settings = read_settings()
    with database_for(settings) as database, watching() as progress:
        progress("正在收下 receiving")
        one = _received(database, settings, file, dated or day_or_today(None))
        progress("正在检查 checking")
        one = _worked(database, one, "queued", lambda: check_next(database, settings, one.id))
        _refuse(one)
        if errors is not None:
            progress("正在写错误表 writing the error workbook")
            _write_errors(database, settings, one, errors)
        if mode is not None and one.status == "checked":
            progress("正在导入 importing")
            one = confirm(database, one.id, mode, owner=one.owner, actor=operator(), now=_now())
            one = _worked(database, one, "confirmed", lambda: import_next(database, settings, _now, one.id))
            _refuse(one)
    if as_json:
        click.echo(orjson.dumps({"id": one.id, "status": one.status, "edition": one.edition_id,
                                 "report": one.report}).decode())  # fmt: skip
    else:
        _print(one)


def _received(database: Database, settings: Settings, file: Path, dated: date) -> Upload:
    actor = operator()
    try:
        source = file.open("rb")
    except OSError as error:
        code = "E011" if isinstance(error, FileNotFoundError) else "E012"
        raise refusal(code, str(file), reason=error.strerror) from error
    with source, incoming(settings) as part:
        while chunk := source.read(_CHUNK):
            part.write(chunk)
        found = keep(
            database, settings, part, owner=actor.name, name=file.name, dated=dated, actor=actor, now=_now()
        )
    return found.upload


def _worked(database: Database, one: Upload, waiting: str, work: Callable[[], Any]) -> Upload:
    """Do it here; where a worker was quicker, wait for it."""
    while True:
        with database.read() as connection:
            one = find_upload(connection, one.id)
        if one.status in SETTLED:
            return one
        if one.status != waiting or work() is None:
            time.sleep(POLL_SECONDS)


def _refuse(one: Upload) -> None:
    if one.status in {"refused", "failed"} and one.problem:
        said = one.problem
        hint = Text(said["hint_zh"], said["hint_en"]) if "hint_zh" in said else None
        raise FileRefused(said["code"], Text(said["zh"], said["en"]), hint, one.name)


def _write_errors(database: Database, settings: Settings, one: Upload, path: Path) -> None:
    while not write_errors(database, settings, one.id):
        with database.read() as connection:
            if error_book_state(connection, settings, one) == "given_up":
                raise refusal("E014", one.name, seconds=0)
        time.sleep(POLL_SECONDS)
    shutil.copyfile(store_of(settings).fetch(errors_key(one.id)), path)


def _print(one: Upload) -> None:
    report = one.report
    assert report is not None
    counts = report["counts"]
    _say(f"{one.name}：{counts['rows']:,} 行，可导入 {counts['good']:,}，不合格 {counts['rejected']:,}；"
         f"{counts['bad_cells']:,} 处按缺数据，{counts['warnings']:,} 处提醒")  # fmt: skip
    known = sum(column["column"] is not None for column in report["columns"])
    _say(f"认出 {known}/{len(report['columns'])} 列 columns known；编码 {report['file']['encoding'] or '—'}")
    for found in report["errors"]:
        _say(f"  {found['code']} ×{found['count']:,}　{found['text']['zh']}　{found['text']['en']}")
    _print_differences(report["differences"])
    if one.status == "imported":
        _say(f"已导入，成为现行版本（{one.edition_id}）。 Imported as edition {one.edition_id}.")
    else:
        _say(
            "还没有导入；加 --confirm good_rows 再运行一次即导入。 Not imported yet: add --confirm good_rows."
        )


def _print_differences(found: Any) -> None:
    if found is None:
        return
    firms = found["firms"]
    _say(f"与现行版本相比：新增 {firms['new']:,}，没有再出现 {firms['gone']:,}，有变动 {firms['changed']:,}，"
         f"相差约一万倍 {firms['jumped']:,}。 new, gone, changed, jumped")  # fmt: skip
    slipped = [column["column"] for column in found["columns"] if column["unit_slip"]]
    if slipped:
        _say(f"单位可能写错 unit may be wrong：{'、'.join(slipped)}")


def _say(line: str) -> None:
    click.echo(line)
