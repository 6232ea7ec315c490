"""Figures corrected by hand: kept with reason and author, over the edition that was active then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update

from models.codes import encode_industry
from models.errors import Text, TiduiError
from models.fields import catalogue
from models.registry.facts import firm_facts
from models.registry.state import State, active, firms_corrected
from models.registry.tables import correction, firm
from models.tabular.cells import issue_details, read_uscc
from models.tabular.issues import issue_kinds


class FirmUnknown(TiduiError):
    """No such firm in the active edition."""

    status = 404


class Stale(TiduiError):
    """Somebody else has changed the firm since it was read."""

    status = 412


def firm_unknown(uscc: str) -> FirmUnknown:
    """G404; for what no code can be it says so."""
    code = read_uscc(uscc).code
    if code is not None:
        kind = issue_kinds()[code]
        said = kind.text.format(**issue_details(catalogue()["uscc"], code, uscc))
        return FirmUnknown(
            "G404",
            Text(f"企业库里没有 {uscc}：{said.zh}", f"the registry has no firm {uscc}: {said.en}"),
            Text("请核对统一社会信用代码；按名称查用 q", "Check the code; to search by name use q"),
        )
    return FirmUnknown(
        "G404",
        Text(f"企业库里没有 {uscc}", f"the registry has no firm {uscc}"),
        Text("请核对统一社会信用代码", "Check the unified social credit code"),
    )


def correct(
    connection: Connection,
    state: State,
    uscc: str,
    changes: Mapping[str, Any | None],
    *,
    reason: str,
    actor: str,
    now: datetime,
    expected_version: int,
) -> int:
    """Put external values, already checked, over those of the registry; None takes a hand's value back.

    ``connection``: a writing transaction, which corrects one firm and holds the row of ``state`` to its end;
    ``state``: read in it. Returns the firm's new version.
    Raises FirmUnknown (G404), Stale (G412), NoEdition (G003).
    """
    edition_id = active(state)
    _next_version(connection, state, uscc, expected_version)
    before = firm_facts(connection, state, [uscc])[uscc]
    rows = [
        {
            "uscc": uscc,
            "column": column,
            "value": _json(value),
            "before": _json(before.facts[column].value) if column in before.facts else None,
            "reason": reason,
            "actor": actor,
            "made_at": now,
            "edition_id": edition_id,
        }
        for column, value in sorted(changes.items())
    ]
    if rows:
        connection.execute(insert(correction), rows)
    refresh_identity(connection, state, uscc)
    firms_corrected(connection)
    return expected_version + 1


def refresh_identity(connection: Connection, state: State, uscc: str) -> None:
    """District and industry of the firm are what its figures say now."""
    facts = firm_facts(connection, state, [uscc])[uscc]
    figures = facts.external
    industry = figures.get("industry")
    found = (figures.get("district"), None if industry is None else encode_industry(industry))
    if found != (facts.district, facts.industry):
        values = {"district": found[0], "industry": found[1]}
        connection.execute(update(firm).where(firm.c.uscc == uscc).values(values))


def _next_version(connection: Connection, state: State, uscc: str, expected: int) -> None:
    """Exactly one of many who read the same version gets past this line."""
    visible = (firm.c.uscc == uscc) & firm.c.edition_id.in_(state.lineage)
    done = connection.execute(
        update(firm).where(visible, firm.c.version == expected).values(version=expected + 1)
    )
    if done.rowcount == 1:
        return
    current = connection.execute(select(firm.c.version).where(visible)).scalar_one_or_none()
    if current is None:
        raise firm_unknown(uscc)
    raise Stale(
        "G412",
        Text(
            f"企业信息已被他人改动（现为第 {current} 版，您看到的是第 {expected} 版）",
            f"the firm has been changed meanwhile (version {current}, not {expected})",
        ),
        Text("重新读取后再改", "Read it again, then change it"),
    )


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
