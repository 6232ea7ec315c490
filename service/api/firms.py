"""``/v1/firms``: one firm with every figure and its source; correcting figures by hand."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from sqlalchemy import Connection

from models.answer import fact_dict, issue_dict
from models.errors import Text, TiduiError
from models.figures import FigureIssue, Reading, place, read_figures, trade
from models.forms import both
from models.ladder import rung_names
from models.registry.audit import fingerprint
from models.registry.corrections import Stale, correct, firm_unknown
from models.registry.days import this_day
from models.registry.facts import FirmFacts, firm_facts, firm_version
from models.registry.standings import run_standing
from models.registry.state import State, read_state
from models.rules.rulebook import rulebook
from models.verdict import DISCLAIMER
from service.answers import firm_etag, firm_links, seen_facts, seen_version
from service.auditing import actor, record, record_in
from service.extension import now, reading, state, stop_reading, tidui
from service.fields import FieldProblem, FieldsRefused
from service.schemas.firms import Correction, FirmShown
from service.security import caller, limited, needs
from service.wire import Blueprint, answer, not_modified

blueprint = Blueprint("firms", __name__, url_prefix="/v1/firms", description="企业 Firms")


class PreconditionRequired(TiduiError):
    """A change without saying which version it is meant for."""

    status = 428


@blueprint.get("/<string:uscc>")
@needs("lookup")
@blueprint.response(200, FirmShown)
def read_firm(uscc: str) -> Response:
    """一家企业：身份、曾用名、每项数据及其来源、现在的梯队位置 One firm with every figure and its source

    响应头 ETag 用于更正（If-Match）和缓存（If-None-Match）。
    """
    tag = firm_etag("firm", uscc, seen_version(uscc), state())
    record("firm.read", uscc)
    unchanged = not_modified(tag)
    if unchanged is not None:
        return unchanged
    known = seen_facts(uscc)
    return answer(_shown(reading(), state(), known), etag=firm_etag("firm", uscc, known.version, state()))


@blueprint.patch("/<string:uscc>/facts")
@needs("write")
@limited("write")
@blueprint.arguments(Correction)
@blueprint.response(200, FirmShown)
@blueprint.doc(
    parameters=[
        {
            "in": "header",
            "name": "If-Match",
            "required": True,
            "description": "读取企业时的 ETag The ETag that reading the firm gave",
            "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
        }
    ],
    responses={status: {"$ref": f"#/components/responses/H{status}"} for status in ("412", "428")},
)
def correct_facts(order: dict[str, Any], uscc: str) -> Response:
    """手工更正数据；须带 If-Match 和理由 Correct figures by hand

    值为 null 撤回手工更正。代码和名称不在这里改。更正与审计记录同时生效，或都不生效。
    """
    expected = _expected_tag()
    changes, read = _changes(order["changes"])
    stop_reading()
    with tidui().database.write() as connection:
        seen = read_state(connection)
        version = firm_version(connection, uscc, district=caller().district)
        if version is None:
            raise firm_unknown(uscc)
        if firm_etag("firm", uscc, version, seen) not in expected:
            raise _stale()
        before = _facts(connection, seen, uscc)
        version = correct(
            connection, seen, uscc, changes,
            reason=order["reason"].strip(), actor=actor().name, now=now(), expected_version=version,
        )  # fmt: skip
        after = _facts(connection, seen, uscc)
        body = _shown(connection, seen, after)
        record_in(
            connection, "firm.correct", uscc,
            purpose=order["reason"].strip(),
            before=fingerprint(before.external), after=fingerprint(after.external),
            columns=sorted(changes), version=version,
        )  # fmt: skip
    if read.warnings:
        body["warnings"] = [issue_dict(issue) for issue in read.warnings]
    return answer(body, etag=firm_etag("firm", uscc, version, seen))


def _facts(connection: Connection, seen: State, uscc: str) -> FirmFacts:
    return firm_facts(connection, seen, [uscc])[uscc]


def _expected_tag() -> frozenset[str]:
    """The ETags the change is meant for. ``*`` names none: a change must say what it has seen."""
    tags = frozenset(request.if_match.as_set())
    if not tags:
        raise PreconditionRequired(
            "H428",
            Text("更正须带 If-Match", "a correction needs If-Match"),
            Text(
                "先读取企业，把响应头 ETag 写进 If-Match", "Read the firm first and send its ETag as If-Match"
            ),
        )
    return tags


def _stale() -> Stale:
    return Stale(
        "G412",
        Text("企业信息在您读取之后已有变动", "the firm has changed since you read it"),
        Text("重新读取，核对后用新的 ETag 再改", "Read it again and use the new ETag"),
    )


def _changes(written: dict[str, Any]) -> tuple[dict[str, Any], Reading]:
    """External values by column, None to withdraw. FieldsRefused points at every value of no use."""
    read = read_figures(written, last_year=this_day(now()).year)
    problems = [figure_problem(issue, "/changes") for issue in read.issues]
    problems += [
        FieldProblem(
            f"/changes/{column}",
            "F104",
            Text(
                "空白不能作更正；撤回手工更正写 null",
                "write null to withdraw a correction",
            ),
        )
        for column in read.blanks
        if written[column] is not None
    ]
    if problems:
        raise FieldsRefused(problems)
    return {**read.external, **dict.fromkeys(read.blanks)}, read


def figure_problem(issue: FigureIssue, below: str) -> FieldProblem:
    """An issue of :func:`models.figures.read_figures` where it stands in the body."""
    step = issue.column.replace("~", "~0").replace("/", "~1")[:100]
    said = Text(f"{issue.message.zh}；{issue.fix.zh}", f"{issue.message.en}. {issue.fix.en}")
    return FieldProblem(f"{below}/{step}", issue.code, said)


def _shown(connection: Connection, seen: State, known: FirmFacts) -> dict[str, Any]:
    return {
        "uscc": known.uscc,
        "name": known.name,
        "district": place(known.district),
        "industry": trade(known.industry),
        "version": known.version,
        "former_names": list(known.former_names),
        "facts": [fact_dict(column, known.facts[column]) for column in sorted(known.facts)],
        "standing": _standing(connection, seen, known.uscc),
        "edition": seen.edition_hash,
        "links": firm_links(known.uscc),
    }


def _standing(connection: Connection, seen: State, uscc: str) -> dict[str, Any] | None:
    found = run_standing(connection, seen, uscc)
    if found is None:
        return None
    return {
        "recognised": rung_shown(found.recognised),
        "qualifies": rung_shown(found.qualifies),
        "could_reach": rung_shown(found.could_reach),
        "as_of": found.as_of,
        "kind": found.kind,
        "rulebook": found.rulebook_hash,
        "disclaimer": both(DISCLAIMER),
    }


def rung_shown(rung: int) -> dict[str, Any]:
    return {"rung": rung, "name": both(rung_names(rulebook())[rung])}
