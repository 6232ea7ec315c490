"""What ``tidui registry`` answers, for eyes and for programs."""

from __future__ import annotations

from typing import Any

import click

from models.registry.activating import Activated
from models.registry.importing import Imported
from models.registry.listing import Edition
from models.registry.titles import ListTaken, ListTerms
from models.tabular.issue_table import general, issue_counts


def imported_dict(done: Imported) -> dict[str, Any]:
    return {
        "edition": done.edition_id,
        "hash": done.edition_hash,
        "run": done.run_id,
        "already": done.already,
        "active": done.active,
        **done.manifest.content["counts"],
        "changed_firms": done.changed_firms,
        "outweighed_by": done.newest_before.isoformat() if done.outweighed and done.newest_before else None,
        "issues": done.manifest.content["issues"],
        "issues_at": str(done.issues_at) if done.issues_at else None,
    }


def print_imported(done: Imported) -> None:
    counts = done.manifest.content["counts"]
    if done.already:
        _say(f"这份文件已导入过，是版本 {done.edition_id}。 Imported before, as edition {done.edition_id}.")
        if not done.active:
            _say(f"  它现在未启用；启用：tidui registry activate {done.edition_id}")
        return
    _say(f"版本 {done.edition_id} 已启用：{counts['firms']:,} 家企业入库，{counts['rejected']:,} 行未收。")
    _say(f"Edition {done.edition_id}: {counts['firms']:,} firms, {counts['rejected']:,} rows not taken.")
    if done.outweighed:
        _say(
            f"  注意：这份数据（{done.dated}）早于库里已有的（{done.newest_before}）；"
            "同一项两边都有的，仍以较晚日期的为准，这份的列在“另有”。"
        )
        _say(
            f"  Note: older ({done.dated}) than what is there ({done.newest_before}). Where both have"
            " a figure, that of the later date stands; this file's is shown beside it."
        )
    if done.changed_firms:
        _say(f"  {done.changed_firms:,} 家企业的名称、区或行业有变。 Names or places changed.")
    if done.issues is not None:
        for count in issue_counts(done.issues, done.notes):
            _say(f"  {count.kind.code} ×{count.count:,}　{general(count.kind.text).zh}")
    if done.issues_at:
        _say(f"逐条问题：{done.issues_at}")


def edition_dict(edition: Edition) -> dict[str, Any]:
    return {
        "edition": edition.id,
        "hash": edition.hash,
        "parent": edition.parent_id,
        "active": edition.active,
        "visible": edition.visible,
        "dated": edition.dated.isoformat(),
        "source": edition.source_name,
        **edition.manifest.content["counts"],
        "imported_at": edition.imported_at.isoformat(),
        "imported_by": edition.imported_by,
    }


def print_edition(edition: Edition) -> None:
    mark = "当前 active" if edition.active else "其下 below it" if edition.visible else "未启用 not shown"
    click.echo(
        f"{edition.id:>4}　{edition.hash[:12]}　{edition.dated}　{edition.manifest.firms:>9,} 家　"
        f"{edition.source_name}　{mark}"
    )


def activated_dict(edition: Edition, done: Activated) -> dict[str, Any]:
    return {
        "edition": edition.id,
        "hash": edition.hash,
        "run": done.run_id,
        "already": done.already,
        "changed_firms": done.changed_firms,
        "judged_anew": done.judged_anew,
    }


def print_activated(edition: Edition, done: Activated) -> None:
    if done.already:
        _say(f"版本 {edition.id} 本来就是当前版本。 Edition {edition.id} is the active one already.")
        return
    _say(f"已启用版本 {edition.id}（{edition.dated}，{edition.source_name}）。 It is active now.")
    if done.judged_anew:
        _say("  名单、更正或规则有更新，已重评。 Judged anew: lists, corrections or rules had changed.")


def taken_dict(done: ListTaken) -> dict[str, Any]:
    return {
        "list": done.list_id,
        "rows": done.rows,
        "taken": done.taken,
        "in_registry": done.known,
        "issues": {count.kind.code: count.count for count in issue_counts(done.issues, ())},
        "issues_at": str(done.issues_at) if done.issues_at else None,
    }


def print_taken(done: ListTaken, terms: ListTerms, restood: bool) -> None:
    _say(f"名单 {done.list_id}：{done.rows:,} 行，收入 {done.taken:,} 家，其中企业库已有 {done.known:,} 家。")
    _say(f"List {done.list_id}: {done.rows:,} rows, {done.taken:,} taken, {done.known:,} in the registry.")
    for count in issue_counts(done.issues, ()):
        _say(f"  {count.kind.code} ×{count.count:,}　{general(count.kind.text).zh}")
    if done.issues_at:
        _say(f"逐条问题：{done.issues_at}")
    if terms.complete and any(code == "E501" for code, _ in done.issues.counts):
        _say("  注意：全量名单里名称对不上的企业会被当作“无”，请先核对。 Names that fit no firm count as 无.")
    if not restood:
        _say("  还没重评：tidui registry restand。 Not judged anew yet.")


def _say(text: str) -> None:
    click.echo(text, err=True)
