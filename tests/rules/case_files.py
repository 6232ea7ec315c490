"""Policy cases: YAML files under ``tests/cases`` that say what a standard must answer for a firm.

One file per standard. ``firm`` meets every condition by the plainest route; each case sets a few
figures of it and says what must come out; ``missing`` says the verdict with each input blank.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from models.codes import encode_industry
from models.fields import NO_TITLE, Field, catalogue
from models.rules.compile import Compiled, Standards, compile_standards
from models.rules.firm import FirmReader
from models.rules.pack import Pack
from models.rules.program import Slot
from models.rules.quantity import Figures, Period
from models.rules.rulebook import rulebook
from models.rules.size import SizeTable
from models.rules.source import Block, Complaints, load_block
from models.rules.table import assess, column_dtype
from models.verdict import Verdict

FOLDER = Path(__file__).parent.parent / "cases"
_CASE_KEYS = {"set", "as_of", "kind", "verdict", "unmet", "open", "low", "high", "labels", "in_force"}
_FILE_KEYS = {"standard", "as_of", "kind", "firm", "cases", "missing"}


@dataclass(frozen=True)
class Answer:
    """What a reader says about one firm. ``labels`` is None where the reader does not give them."""

    verdict: str
    unmet: tuple[str, ...]
    open: tuple[str, ...]
    low: float | None
    high: float | None
    in_force: bool
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Case:
    """One firm, a date and a kind, and what must be answered (only the keys that the file gives)."""

    name: str
    period: Period
    figures: Figures
    expected: Mapping[str, Any]

    def mistakes(self, answer: Answer) -> list[str]:
        return [
            f"{self.name}：{key} 应为 {wanted}，得到 {got}"
            for key, wanted in self.expected.items()
            if (got := getattr(answer, key)) != wanted and not (key == "labels" and got is None)
        ]


@dataclass(frozen=True)
class CaseFile:
    """The cases of one standard; ``missing`` maps each input column to the case where it is blank."""

    standard: str
    period: Period
    firm: Figures
    cases: tuple[Case, ...]
    missing: Mapping[str, Case]

    def all(self) -> Iterator[Case]:
        yield from self.cases
        yield from self.missing.values()

    def by_period(self) -> dict[Period, list[Case]]:
        """All cases, those of one date and kind together, the most frequent first."""
        groups: dict[Period, list[Case]] = {}
        for case in self.all():
            groups.setdefault(case.period, []).append(case)
        return dict(sorted(groups.items(), key=lambda pair: -len(pair[1])))


def case_files() -> list[str]:
    """Standards that have a file."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def load_cases(standard: str) -> CaseFile:
    """Read one file; ValueError or RulesRefused where it is not written as it should be."""
    path = FOLDER / f"{standard}.yaml"
    complaints = Complaints(path.name)
    block = load_block(path, complaints)
    complaints.raise_if_any()
    assert block is not None
    _only(block, _FILE_KEYS, path.name)
    if block["standard"] != standard:
        raise ValueError(f"{path.name}: standard is {block['standard']}")
    period = Period(block["as_of"], block["kind"])
    firm = {column: figure(column, written) for column, written in block["firm"].items()}
    cases = tuple(_case(item, firm, period) for item in block["cases"])
    names = [case.name for case in cases]
    if len(set(names)) < len(names):
        raise ValueError(
            f"{path.name}: the same name twice: {sorted(n for n in names if names.count(n) > 1)}"
        )
    missing = {
        column: Case(f"缺 {column}", period, {**firm, column: None}, {"verdict": verdict})
        for column, verdict in block["missing"].items()
    }
    return CaseFile(standard, period, firm, cases, missing)


def _case(item: Block, firm: Figures, period: Period) -> Case:
    ((name, body),) = item.items()
    _only(body, _CASE_KEYS, name)
    changes = {column: figure(column, written) for column, written in body.get("set", {}).items()}
    expected = {key: body[key] for key in body if key not in {"set", "as_of", "kind"}}
    expected |= {key: tuple(expected[key]) for key in ("unmet", "open", "labels") if key in expected}
    if "verdict" not in expected:
        raise ValueError(f"{name}: no verdict")
    here = Period(body.get("as_of", period.as_of), body.get("kind", period.kind))
    return Case(name, here, {**firm, **changes}, expected)


def _only(block: Block, allowed: set[str], place: str) -> None:
    if unknown := set(block) - allowed:
        raise ValueError(f"{place}: unknown keys {sorted(unknown)}")


# figures as people write them → as they are held


def figure(column: str, written: Any) -> Any:
    """A canonical Python value (models.fields) for what the file says."""
    parsed = catalogue().parse_column(column)
    if parsed is None:
        raise ValueError(f"no such column: {column}")
    field = parsed[0]
    if written is None:
        return None
    value = industry(str(written)) if field.key == "industry" else _READ[field.type](field, written)
    if value is NotImplemented:
        raise ValueError(f"{column}: {written!r} is not a {field.type}")
    return value


def industry(written: str) -> int | None:
    """``C3911`` → 39114; what the contract calls unknown (a letter alone, C3, X) → None."""
    match = re.fullmatch(r"[A-Za-z]?(\d{2,4})", written)
    return encode_industry(match[1]) if match else None


def _whole(field: Field, written: Any) -> Any:
    return written if type(written) is int else NotImplemented


def _number(field: Field, written: Any) -> Any:
    return float(written) if type(written) in {int, float} else NotImplemented


def _date(field: Field, written: Any) -> Any:
    if field.type == "title" and written == "none":
        return NO_TITLE
    return written if type(written) is date else NotImplemented


def _option(field: Field, written: Any) -> Any:
    return written if written in (field.options or {}) else NotImplemented


_READ: Mapping[str, Callable[[Field, Any], Any]] = {
    **dict.fromkeys(["money", "count", "year"], _whole),
    **dict.fromkeys(["decimal", "score", "ratio"], _number),
    **dict.fromkeys(["date", "title"], _date),
    "bool": lambda field, written: written if type(written) is bool else NotImplemented,
    "enum": _option,
    "code": lambda field, written: written if type(written) is str else NotImplemented,
}


# the two readers


@cache
def standards(standard: str, period: Period) -> Standards:
    return compile_standards(rulebook(), period, [standard])


def firm_answers(standard: str, period: Period, cases: Sequence[Case]) -> list[Answer]:
    """By the firm reader."""
    reader = FirmReader(standards(standard, period))
    compiled = reader.standards.compiled[standard]
    return [answer(compiled, reader.read(case.figures).values) for case in cases]


def answer(compiled: Compiled, values: Mapping[Slot, Any]) -> Answer:
    """An answer from the slots' values of one firm."""
    pack = compiled.pack
    number = values[compiled.verdict]
    low, high = (values[slot] for slot in compiled.score) if compiled.score else (None, None)
    return Answer(
        verdict=_word(pack, number),
        unmet=_ids(compiled, values[compiled.unmet]),
        open=_ids(compiled, values[compiled.open]),
        low=low,
        high=high,
        in_force=pack.in_force_on(compiled.period),
        labels=tuple(name for name, slot in compiled.labels.items() if values[slot] == Verdict.MET),
    )


def _word(pack: Pack, number: int) -> str:
    if pack.size_table is None:
        return Verdict(number).key
    return "unknown" if number < 0 else SizeTable.KEYS[number]


def _ids(compiled: Compiled, mask: int) -> tuple[str, ...]:
    return tuple(name for bit, name in enumerate(compiled.term_ids) if mask >> bit & 1)


def table_answers(standard: str, period: Period, cases: Sequence[Case]) -> list[Answer]:
    """By the table reader: one row per case."""
    compiled = standards(standard, period)
    columns = sorted({column for case in cases for column in case.figures})
    rows = {
        column: pl.Series(column, [case.figures.get(column) for case in cases], column_dtype(column))
        for column in columns
    }
    identity = {
        "uscc": pl.Series([str(number) for number in range(len(cases))]),
        "name": pl.Series([case.name for case in cases]),
        "error": pl.Series([None] * len(cases), dtype=pl.String),
    }
    result = assess(pl.LazyFrame({**identity, **rows}), compiled, set(columns)).collect()
    in_force = rulebook()[standard].in_force_on(period)
    return [_table_answer(row, standard, in_force) for row in result.iter_rows(named=True)]


def _table_answer(row: Mapping[str, Any], standard: str, in_force: bool) -> Answer:
    unmet, open_terms = (
        tuple(filter(None, row[f"{standard}.{column}"].split(";"))) for column in ("unmet", "open")
    )
    low, high = row.get(f"{standard}.low"), row.get(f"{standard}.high")
    return Answer(row[standard], unmet, open_terms, low, high, in_force)
