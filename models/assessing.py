"""Assessing one firm, fast and the same every time: what depends on no firm is made once and kept.

An :class:`Assessor` belongs to one rulebook. For each date and kind it compiles all standards and opens
their forms (a tenth of a second); a firm then costs a fraction of a millisecond. The same question gives
the same bytes, in this process and any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import orjson

from models.advice_plan import Planner
from models.assessment_form import LADDER, Forms
from models.errors import Text, UsageRefused
from models.figures import Column, column_of, internal, place, trade
from models.forms import both, fragments, picker
from models.kept import Kept
from models.rules.compile import Standards, compile_standards
from models.rules.firm import FirmReader, Trace
from models.rules.pack import KINDS
from models.rules.quantity import Figures, Period
from models.rules.rulebook import Rulebook
from models.verdict import DISCLAIMER

SHEETS = 16
"""Dates and kinds kept ready, each some megabytes."""
FIRST_YEAR, LAST_YEAR = 2000, 2099
"""Years that canonical columns can name."""


Beside = Callable[[Figures], bytes]


class Fact(Protocol):
    """A figure in its external form, and who said so when."""

    @property
    def value(self) -> Any: ...
    @property
    def source(self) -> str: ...
    @property
    def dated(self) -> date | None: ...
    @property
    def also(self) -> Sequence[Fact]: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A figure that came with the question and is stored nowhere."""

    value: Any
    source: str = "request"
    dated: date | None = None
    also: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Firm:
    """Who is assessed, and what is known of it: canonical column → fact."""

    uscc: str | None
    name: str | None
    facts: Mapping[str, Fact]
    external: Mapping[str, Any]
    """The facts' values alone."""
    edition: str | None = None
    """Hash of the registry's edition they come from."""
    said: Callable[[str], Fact] | None = None
    """Who said it and when, column by column, where that is known without the whole fact."""

    @property
    def head(self) -> dict[str, Any]:
        """Code, name, district and industry with their names."""
        figures = internal({k: self.external[k] for k in ("district", "industry") if k in self.external})
        return {
            "uscc": self.uscc,
            "name": self.name,
            "district": place(figures.get("district")),
            "industry": trade(figures.get("industry")),
        }


class Sheet:
    """All standards of a rulebook on one date and for one kind, compiled, their forms open."""

    def __init__(self, book: Rulebook, period: Period) -> None:
        self.book, self.period = book, period
        self.standards: Standards = compile_standards(book, period)
        self.reader = FirmReader(self.standards)
        self.planner = Planner(self.standards)
        self._forms = Forms(book, self.standards)
        names = sorted({name for names in self._forms.reads for name in names})
        columns = [column for name in names if (column := column_of(name)) is not None]
        self._heads = [(place, column.name, _input_head(column)) for place, column in enumerate(columns)]
        self._blanks = [head + b'null,"source":null,"dated":null}' for _, _, head in self._heads]
        places = {column.name: place for place, column in enumerate(columns)}
        self._reads = [picker([places[name] for name in names]) for names in self._forms.reads]
        self._head = orjson.dumps(
            {"as_of": period.as_of, "kind": period.kind, "disclaimer": both(DISCLAIMER)}
        )[1:-1]

    def read(self, figures: Figures) -> Trace:
        """Verdicts and points of one firm; ``figures`` as :mod:`models.fields` holds them."""
        return self.reader.read(figures)

    def assess(self, firm: Firm, ids: Sequence[str] | None = None, beside: Beside | None = None) -> bytes:
        """The whole answer as JSON: firm, ladder, standards (all by default), hashes.

        ``beside``: what is said apart from the rules, of the figures as they are held, as ``"name":value``.
        """
        ids = tuple(self.standards.chosen if ids is None else ids)
        held = internal(firm.external)
        trace = self.reader.read(held)
        figures = self._forms.figures(trace.figures)
        sheaf = self._forms.sheaf
        table = sheaf.table(trace, figures, self._inputs(firm))
        pieces = [b'{"firm":', orjson.dumps(firm.head), b",", self._head, b',"ladder":']
        pieces += sheaf.pieces(LADDER, table)
        pieces.append(b',"standards":[')
        for number, i in enumerate(ids):
            pieces += (b",", *sheaf.pieces(i, table)) if number else sheaf.pieces(i, table)
        pieces += (b'],"hashes":', orjson.dumps(self.hashes(firm, ids)))
        if beside is not None:
            pieces += (b",", beside(held))
        pieces.append(b"}")
        return b"".join(pieces)  # once: an answer is two hundred kilobytes

    def _inputs(self, firm: Firm) -> list[bytes]:
        said, known, tails = firm.said or firm.facts.__getitem__, firm.external, _Tails()
        told = self._blanks.copy()
        given = [one for one in self._heads if one[1] in known]
        values = fragments([known[name] for _, name, _ in given])
        for (at, name, head), value in zip(given, values, strict=True):
            fact = said(name)
            tail = tails[fact.source, fact.dated]
            told[at] = head + value + (_also(tail, fact.also) if fact.also else tail)
        return [b"[" + b",".join(pick(told)) + b"]" for pick in self._reads]

    def hashes(self, firm: Firm, ids: Sequence[str]) -> dict[str, Any]:
        """What an answer was made from: edition, figures, rulebook, packs."""
        known = orjson.dumps(firm.external, option=orjson.OPT_SORT_KEYS)
        return {
            "edition": firm.edition,
            "figures": hashlib.sha256(known).hexdigest(),
            "rulebook": self.book.hash,
            "packs": {i: self.book[i].hash for i in ids},
        }


class _Tails(dict[tuple[str, date | None], bytes]):
    """Source and date as JSON: most figures of a firm share them."""

    def __missing__(self, said: tuple[str, date | None]) -> bytes:
        tail = self[said] = b"," + orjson.dumps({"source": said[0], "dated": said[1]})[1:]
        return tail


def _also(tail: bytes, also: Sequence[Fact]) -> bytes:
    others = [{"value": one.value, "source": one.source, "dated": one.dated} for one in also]
    return tail[:-1] + b',"also":' + orjson.dumps(others) + b"}"


def _input_head(column: Column) -> bytes:
    """A column of a firm as JSON, up to its value."""
    about = {
        "column": column.name,
        "label": both(column.label),
        "year": column.year,
        "unit": column.unit or None,
    }
    return orjson.dumps(about)[:-1] + b',"value":'


class Assessor:
    """Sheets of one rulebook, made when first asked for; the least used one goes. Safe between threads."""

    def __init__(self, book: Rulebook, *, held: int = SHEETS) -> None:
        self.book = book
        self._sheets: Kept[Period, Sheet] = Kept(held)

    def sheet(self, as_of: date, kind: str = "new") -> Sheet:
        """UsageRefused: a date outside the years that columns can name (R411), no such kind (R412)."""
        if not FIRST_YEAR <= as_of.year <= LAST_YEAR:
            raise UsageRefused(
                "R411",
                Text(
                    f"评估日期应在 {FIRST_YEAR}～{LAST_YEAR} 年之间",
                    f"the date lies between {FIRST_YEAR} and {LAST_YEAR}",
                ),
            )
        if kind not in KINDS:
            raise UsageRefused(
                "R412",
                Text(f"没有“{kind}”这一类", f"there is no kind “{kind}”"),
                Text("new 或 review", "new or review"),
            )
        period = Period(as_of, kind)
        return self._sheets.get(period, lambda: Sheet(self.book, period))


class Assessors:
    """Assessors by rulebook hash; ``load`` fetches a rulebook that is not at hand."""

    def __init__(self, current: Rulebook, *, held: int = 4) -> None:
        self.current = Assessor(current)
        self._others: Kept[str, Assessor] = Kept(held)

    def of(self, rulebook_hash: str | None, load: Callable[[str], Rulebook]) -> Assessor:
        """The current rulebook's, or the one named; raises what ``load`` raises where there is none."""
        if rulebook_hash is None or rulebook_hash == self.current.book.hash:
            return self.current
        return self._others.get(rulebook_hash, lambda: Assessor(load(rulebook_hash), held=2))
