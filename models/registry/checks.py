"""Checks of programmes, kept for ever: made, found again, and computed again from what was kept."""

from __future__ import annotations

import importlib.metadata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, insert, select

from models.differences import Difference, differences
from models.errors import Text, TiduiError
from models.fields import catalogue
from models.programmes import DECISIONS, Fact, Judge, Subject, column_head
from models.receipts import PublicKey, SigningKey, receipt, verify
from models.registry import rulebooks
from models.registry.facts import Fact as Known
from models.registry.facts import FirmFacts, firm_facts
from models.registry.signing import known_keys, remember_key
from models.registry.state import State
from models.registry.tables import programme_check
from models.rules.quantity import Period
from models.tabular.cells import Cell, issue_details, read_uscc
from models.tabular.issues import Issue

FORMAT = "tidui-check/1"
BATCH_LIMIT = 1000
Status = Literal["checked", "not_found", "invalid"]
COUNTED = (*(key for key, _ in DECISIONS.values()), "not_found", "invalid")
_VERDICTS = {decision: verdict for verdict, (decision, _) in DECISIONS.items()}


class CheckUnknown(TiduiError):
    """No such check, or one of another district."""

    status = 404


class SignatureBroken(TiduiError):
    """The stored answer is not what was signed, or its key is lost."""

    status = 409


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, what for and when; it becomes part of what is signed."""

    actor: str
    label: str
    purpose: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one code of a batch, in the order it was given."""

    given: str
    uscc: str | None
    status: Status
    note: Text | None = None
    """Why there is no decision, or what to look at in the code."""
    check: Check | None = None

    @property
    def counted_as(self) -> str:
        return self.check.decision if self.check else self.status


@dataclass(frozen=True, slots=True)
class Check:
    """One decision as it was given: the answer's bytes and the detached signature over them."""

    id: str
    batch_id: str
    uscc: str
    district: str | None
    decision: str
    answer: bytes
    signature: str
    facts: str
    rulebook_hash: str
    edition_id: int | None

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = orjson.loads(self.answer)
        return content


@dataclass(frozen=True)
class Batch:
    """All results of one question."""

    id: str
    results: tuple[Result, ...]

    @property
    def counts(self) -> dict[str, int]:
        found = dict.fromkeys(COUNTED, 0)
        for result in self.results:
            found[result.counted_as] += 1
        return found

    @property
    def checks(self) -> list[Check]:
        """Every check once, though a code may have been given twice."""
        return list({r.check.id: r.check for r in self.results if r.check is not None}.values())


def decide(
    connection: Connection,
    state: State,
    judge: Judge,
    key: SigningKey,
    codes: Sequence[str],
    asked: Asked,
    *,
    district: str | None = None,
) -> Batch:
    """Decide on up to 1,000 codes and sign; :func:`keep` stores it. Nothing given is dropped.

    With a ``district`` firms of other districts are not found.
    """
    read = [read_uscc(code) for code in codes]
    wanted = list(dict.fromkeys(str(cell.value) for cell in read if cell.value is not None))
    firms = firm_facts(connection, state, wanted, district=district)
    batch_id = str(uuid.uuid4())
    made = {uscc: _check(judge, key, firm, state, batch_id, asked) for uscc, firm in firms.items()}
    results = [_result(given, cell, made) for given, cell in zip(codes, read, strict=True)]
    return Batch(batch_id, tuple(results))


def code_note(given: str, cell: Cell) -> Text | None:
    """What there is to say about a code as it was given."""
    if cell.code is None:
        return None
    details = issue_details(catalogue()["uscc"], cell.code, given)
    return Issue(cell.code, value=given, details=details).text


def _result(given: str, cell: Cell, made: Mapping[str, Check]) -> Result:
    note = code_note(given, cell)
    if cell.value is None:
        return Result(given, None, "invalid", note)
    uscc = str(cell.value)
    check = made.get(uscc)
    if check is None:
        missing = Text("企业库里没有这个代码", "the registry has no such code")
        note = Text(f"{missing.zh}；{note.zh}", f"{missing.en}; {note.en}") if note else missing
        return Result(given, uscc, "not_found", note)
    return Result(given, uscc, "checked", note, check)


def _check(
    judge: Judge, key: SigningKey, firm: FirmFacts, state: State, batch_id: str, asked: Asked
) -> Check:
    check_id = str(uuid.uuid4())
    facts = fact_rows(firm, judge.columns)
    decided = judge.answer(Subject(firm.uscc, firm.name, firm.district), facts)
    answer = orjson.dumps(
        {
            "format": FORMAT,
            "check": check_id,
            "batch": batch_id,
            **decided,
            "edition": {"id": state.edition_id, "hash": state.edition_hash},
            "rulebook": judge.book.hash,
            "tidui": _version(),
            "purpose": asked.purpose,
            "asked_by": {"id": asked.actor, "label": asked.label},
            "asked_at": asked.at.isoformat(timespec="milliseconds"),
        }
    )
    return Check(
        id=check_id,
        batch_id=batch_id,
        uscc=firm.uscc,
        district=firm.district,
        decision=decided["verdict"],
        answer=answer,
        signature=key.sign(answer),
        facts=orjson.dumps(facts).decode(),
        rulebook_hash=judge.book.hash,
        edition_id=state.edition_id,
    )


@cache
def _version() -> str:
    # Read from a file at every call: half of the time that a check of a thousand firms took.
    return importlib.metadata.version("tidui")


def fact_rows(firm: FirmFacts, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The firm's figures in these columns as used, blanks too, each with its source."""
    return [column_head(column) | _sourced(firm.facts.get(column)) for column in columns]


def _sourced(fact: Known | None) -> dict[str, Any]:
    if fact is None:
        return {"value": None, "source": None}
    row: dict[str, Any] = {
        "value": fact.value,
        "source": fact.source,
        "dated": fact.dated,
        "origin": fact.origin,
        "edition": fact.edition_id,
        "list": fact.list_id,
    }
    if fact.reason is not None:
        row["reason"] = fact.reason
    if fact.also:
        row["also"] = [_sourced(other) for other in fact.also]
    return row


def keep(connection: Connection, batch: Batch, judge: Judge, key: PublicKey, asked: Asked) -> None:
    """Store a batch's checks with the rulebook and the key that prove them, in the caller's transaction."""
    checks = batch.checks
    if not checks:
        return
    rulebooks.remember(connection, judge.book, asked.at)
    remember_key(connection, key, asked.at)
    common = {
        "batch_id": batch.id,
        "programme": judge.pack.id,
        "as_of": judge.period.as_of,
        "purpose": asked.purpose,
        "asked_by": asked.actor,
        "asked_at": asked.at,
    }
    connection.execute(insert(programme_check), [common | _row(check) for check in checks])


def _row(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "uscc": check.uscc,
        "district": check.district,
        "verdict": _VERDICTS[check.decision],
        "edition_id": check.edition_id,
        "rulebook_hash": check.rulebook_hash,
        "facts": check.facts,
        "answer": check.answer.decode(),
        "signature": check.signature,
    }


def find_check(connection: Connection, check_id: str, *, district: str | None = None) -> Check:
    """A check by its id; CheckUnknown (P410) if there is none, or it is of another district."""
    row = connection.execute(select(programme_check).where(programme_check.c.id == check_id)).one_or_none()
    if row is None or (district is not None and row.district != district):
        raise CheckUnknown("P410", Text("没有这次核查", "there is no such check"))
    return Check(
        id=row.id,
        batch_id=row.batch_id,
        uscc=row.uscc,
        district=row.district,
        decision=DECISIONS[row.verdict][0],
        answer=row.answer.encode(),
        signature=row.signature,
        facts=row.facts,
        rulebook_hash=row.rulebook_hash,
        edition_id=row.edition_id,
    )


def receipt_of(connection: Connection, check: Check) -> bytes:
    """The receipt with the public key the check was signed with."""
    for key, _ in known_keys(connection):
        made = receipt(check.answer, check.signature, key)
        if verify(made).intact:
            return made
    raise SignatureBroken(
        "P411",
        Text(
            "留存的答复与签名不符，不能出具凭据", "the stored answer does not match its signature: no receipt"
        ),
        Text("请联系管理员，按审计记录和备份核对", "Ask the administrator to compare audit and backups"),
    )


@dataclass(frozen=True)
class Replay:
    """A check computed again."""

    signed: bool
    """The stored answer still is what was signed."""
    decision: tuple[Difference, ...]
    """Where the answer computed again from stored facts and rulebook differs from the one given."""
    registry: tuple[Difference, ...] | None
    """Figures the registry has otherwise today (for information); None where it has no such firm any more."""

    @property
    def identical(self) -> bool:
        return self.signed and not self.decision


def replay(connection: Connection, state: State, check: Check, *, district: str | None = None) -> Replay:
    """Compute a check again by the rulebook and the facts that were kept with it."""
    given = check.content
    facts: list[Fact] = orjson.loads(check.facts)
    book = rulebooks.load(connection, check.rulebook_hash)
    period = Period(date.fromisoformat(given["as_of"]), given["kind"])
    judge = Judge(book, given["programme"]["id"], period, given["options"])
    again = orjson.loads(
        orjson.dumps(
            judge.answer(Subject(given["uscc"], given["name"], (given["district"] or {}).get("code")), facts)
        )
    )
    then = {key: value for key, value in given.items() if key in again}
    firm = firm_facts(connection, state, [check.uscc], district=district).get(check.uscc)
    return Replay(
        signed=any(
            verify(receipt(check.answer, check.signature, k)).intact for k, _ in known_keys(connection)
        ),
        decision=tuple(differences(then, again)),
        registry=None if firm is None else tuple(_moved(facts, firm)),
    )


def _moved(facts: Sequence[Fact], firm: FirmFacts) -> list[Difference]:
    """Figures that were used then and are others now; a pointer is the column."""
    now = firm.external
    return [
        Difference(fact["column"], fact["value"], now.get(fact["column"]))
        for fact in facts
        if fact["value"] != now.get(fact["column"])
    ]
