"""``tidui registry``: import, look at and check the registry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from models.cli.database import database_for
from models.cli.firm_shown import facts_dict, print_facts
from models.cli.operator import operator
from models.cli.options import Day, as_of_option, day_or_today, json_option, kind_option
from models.cli.registry_shown import (
    activated_dict,
    edition_dict,
    imported_dict,
    print_activated,
    print_edition,
    print_imported,
    print_taken,
    taken_dict,
)
from models.cli.watch import watching
from models.registry.activating import activate, restand
from models.registry.corrections import firm_unknown
from models.registry.database import Database
from models.registry.days import check_as_of, check_dated
from models.registry.export import export
from models.registry.facts import firm_facts
from models.registry.importing import import_file
from models.registry.listing import find_edition, list_editions
from models.registry.migrate import upgrade
from models.registry.state import active, read_state
from models.registry.title_columns import COLUMNS
from models.registry.titles import ListTerms, take_list
from models.registry.verifying import verify
from models.rules.rulebook import rulebook
from models.settings import read_settings

_PATH = click.Path(path_type=Path)
_STAGES = {
    "reading": "正在读取 reading",
    "facts": "正在存入 storing",
    "names": "正在编名称索引 indexing names",
    "firms": "正在比对企业 comparing firms",
    "standing": "正在评估 judging",
}


def _now() -> datetime:
    return datetime.now(UTC)


def _tell(as_json: bool, answer: dict[str, Any] | list[Any], show: Callable[[], None]) -> None:
    if as_json:
        click.echo(orjson.dumps(answer).decode())
    else:
        show()


@click.group()
def registry() -> None:
    """企业库：导入、名单、版本、核验。The registry: imports, title lists, editions, checks."""


@registry.command("import")
@click.argument("file", type=_PATH)
@click.option("--dated", type=Day(), help="数据截至日期，默认今天。The day the figures are of.")
@as_of_option
@kind_option
@json_option
def import_command(file: Path, dated: date | None, as_of: date | None, kind: str, as_json: bool) -> None:
    """导入一份企业表，成为当前版本。Import a file of firms; it becomes the active edition.

    中途停下不影响原来的版本，重新导入即可。Stopped half-way, the former edition stays; import again.
    """
    check_as_of(as_of, _now())
    dated = dated or as_of or day_or_today(None)
    check_dated(dated, _now())
    settings = read_settings()
    with database_for(settings) as database, watching() as progress:
        done = import_file(
            database, settings, file, dated=dated, actor=operator(), now=_now(), book=rulebook(), as_of=as_of,
            kind=kind, progress=lambda stage, rows: progress(f"{_STAGES[stage]} {rows:,}"),
        )  # fmt: skip
    _tell(as_json, imported_dict(done), lambda: print_imported(done))


@registry.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """列出各版本。List the editions."""
    with database_for(read_settings()) as database, database.read() as connection:
        editions = list_editions(connection)

    def show() -> None:
        for edition in editions:
            print_edition(edition)
        if not editions:
            click.echo("企业库还是空的。 The registry is empty.", err=True)

    _tell(as_json, [edition_dict(edition) for edition in editions], show)


@registry.command("activate")
@click.argument("edition")
@json_option
def activate_command(edition: str, as_json: bool) -> None:
    """启用另一个版本（编号或哈希开头）；之后的版本不再可见。Make another edition the active one."""
    settings = read_settings()
    with database_for(settings) as database, watching() as progress:
        with database.read() as connection:
            chosen = find_edition(connection, edition)
        done = activate(
            database, settings, chosen, actor=operator(), now=_now(), book=rulebook(),
            progress=lambda firms: progress(f"{_STAGES['standing']} {firms:,}"),
        )  # fmt: skip
    _tell(as_json, activated_dict(chosen, done), lambda: print_activated(chosen, done))


@registry.command("titles")
@click.argument("file", type=_PATH)
@click.option("--title", required=True, type=click.Choice(list(COLUMNS)), help="哪种称号或名单。Which title.")
@click.option("--dated", required=True, type=Day(), help="名单公布日期。The day of the list.")
@click.option("--complete", is_flag=True, help="全量名单：不在其中即为“无”。Absence means 无.")
@click.option("--valid-until", type=Day(), help="有效期至，用于没写有效期的行。For rows without a day.")
@click.option("--years", type=click.IntRange(1, 10), help="自发布日期起几年有效。Years from issue.")
@click.option("--no-restand", is_flag=True, help="先不重评。Do not judge anew yet.")
@json_option
def titles_command(
    file: Path,
    title: str,
    dated: date,
    complete: bool,
    valid_until: date | None,
    years: int | None,
    no_restand: bool,
    as_json: bool,
) -> None:
    """导入一份称号名单（只有名称也行）。Take in a list of title holders; names alone will do."""
    settings = read_settings()
    terms = ListTerms(title, dated, complete, valid_until, years)
    with database_for(settings) as database, watching() as progress:
        done = take_list(database, settings, file, terms, actor=operator(), now=_now())
        if not no_restand:
            _restand(database, None, None, progress)
    _tell(as_json, taken_dict(done), lambda: print_taken(done, terms, restood=not no_restand))


@registry.command("restand")
@click.option("--as-of", type=Day(), help="评估日期，默认同上一次。Evaluation date; as before by default.")
@click.option("--kind", type=click.Choice(("new", "review")), help="申报类型，默认同上一次。As before.")
@json_option
def restand_command(as_of: date | None, kind: str | None, as_json: bool) -> None:
    """重评所有企业所在级别。Judge anew where every firm stands."""
    check_as_of(as_of, _now())
    with database_for(read_settings()) as database, watching() as progress:
        run_id, firms = _restand(database, as_of, kind, progress)
    _tell(
        as_json,
        {"run": run_id, "firms": firms},
        lambda: click.echo(f"已重评 {firms:,} 家企业。 {firms:,} firms judged anew.", err=True),
    )


def _restand(
    database: Database, as_of: date | None, kind: str | None, progress: Callable[[str], None]
) -> tuple[int, int]:
    done = restand(
        database, read_settings(), as_of=as_of, kind=kind, actor=operator(), now=_now(), book=rulebook(),
        progress=lambda firms: progress(f"{_STAGES['standing']} {firms:,}"),
    )  # fmt: skip
    return done.id, done.firms


@registry.command("export")
@click.argument("output", type=_PATH)
def export_command(output: Path) -> None:
    """导出当前全部企业的数据（.csv、.xlsx、.parquet），可再导入。Export the current figures of all firms."""
    settings = read_settings()
    with database_for(settings) as database, watching() as progress:
        firms = export(
            database, settings, output, actor=operator(), now=_now(),
            progress=lambda firms: progress(f"已写出 {firms:,} written"),
        )  # fmt: skip
    click.echo(f"{firms:,} 家企业已写到 {output}。 {firms:,} firms written.", err=True)


@registry.command("verify")
@json_option
def verify_command(as_json: bool) -> None:
    """核验各版本的文件与数据库是否未被改动；有问题时退出码为 1。Are files and rows as they were imported?"""
    settings = read_settings()
    with database_for(settings) as database:
        found = verify(database, settings)
    answer = {
        "editions": found.editions,
        "files": found.files,
        "firms": found.firms,
        "findings": [
            {"edition": f.edition_id, "place": f.place, "zh": f.what.zh, "en": f.what.en}
            for f in found.findings
        ],
    }

    def show() -> None:
        for finding in found.findings:
            click.echo(f"版本 {finding.edition_id}　{finding.place}：{finding.what.zh}（{finding.what.en}）")
        if not found.findings:
            click.echo(
                f"完好：{found.editions} 个版本，{found.files} 个文件，{found.firms:,} 家企业的数据。"
                " Everything is as it was imported."
            )

    _tell(as_json, answer, show)
    if found.findings:
        click.get_current_context().exit(1)


@registry.command("show")
@click.argument("code")
@json_option
def show_command(code: str, as_json: bool) -> None:
    """一家企业的各项数据、来源和日期。A firm's figures with source and date."""
    code = code.strip().upper()
    with database_for(read_settings()) as database, database.read() as connection:
        state = read_state(connection)
        active(state)
        found = firm_facts(connection, state, [code])
    if code not in found:
        raise firm_unknown(code)
    _tell(as_json, facts_dict(found[code]), lambda: print_facts(found[code]))


@registry.command("migrate")
def migrate_command() -> None:
    """建立或升级数据库的表。Create the tables, or bring them to this version."""
    settings = read_settings()
    database = Database(settings.database_url)
    try:
        upgrade(database)
    finally:
        database.close()
    click.echo("数据库已是当前版本。 The database has the schema of this version.", err=True)
