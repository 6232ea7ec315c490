"""The table reader: a program as polars expressions, over any number of firms, streaming.

Slots that several others use become columns, stage by stage; the rest are written in line.
A verdict column is Int8 and never null, which is what makes ``min_horizontal`` safe here
(it skips nulls; a missing *figure* has become ``unknown`` before).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import polars as pl

from models.dtypes import dtype_of
from models.fields import catalogue
from models.rules.compile import Compiled, Standards
from models.rules.program import PACKED, Node, Program, Slot, mask_table
from models.rules.size import SizeTable
from models.tabular.coded import Coded, distinct
from models.verdict import Verdict

Expr = pl.Expr

VERDICT_WORDS = [verdict.key for verdict in Verdict]
CLASS_WORDS = [*SizeTable.KEYS, "unknown"]


def column_dtype(column: str) -> Any:
    """The polars type a canonical column is held in (models.fields)."""
    parsed = catalogue().parse_column(column)
    assert parsed is not None, column
    return dtype_of(parsed[0])


@dataclass(frozen=True, slots=True)
class Output:
    """A column of the result: a number of the slot as it is, or one that stands for a word."""

    name: str
    slot: Slot
    what: Literal["number", "verdict", "class", "ids"]
    ids: Sequence[str] = ()
    """Of ``ids``: the names of the bits."""


def outputs(standards: Standards) -> Sequence[Output]:
    """The answers of contract.md, *The main command*, in their order: ladder, then standard by standard."""
    return [
        Output("recognised", standards.recognised, "number"),
        Output("qualifies", standards.qualifies, "number"),
        Output("could_reach", standards.could_reach, "number"),
        *(output for pack_id in standards.chosen for output in _outputs(standards.compiled[pack_id])),
    ]


def _outputs(compiled: Compiled) -> Iterator[Output]:
    name = compiled.pack.id
    yield Output(name, compiled.verdict, "verdict" if compiled.pack.size_table is None else "class")
    if compiled.score:
        low, high = compiled.score
        yield Output(f"{name}.low", low, "number")
        yield Output(f"{name}.high", high, "number")
    yield Output(f"{name}.unmet", compiled.unmet, "ids", compiled.term_ids)
    yield Output(f"{name}.open", compiled.open, "ids", compiled.term_ids)


class Judge:
    """The standards as expressions over a canonical frame, made once for any number of frames.

    A frame has one row per firm in canonical types (:mod:`models.fields`), with ``uscc``, ``name`` and
    ``error``; columns not in ``available`` count as blank.
    """

    def __init__(self, standards: Standards, available: Collection[str]) -> None:
        wanted = outputs(standards)
        self._stages, columns = staged(standards.program, [output.slot for output in wanted], available)
        self._shown = [_number(output, columns[output.slot]).alias(output.name) for output in wanted]

    def __call__(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """``uscc, name, error`` and a small number for each of :func:`outputs`, null at an error."""
        for stage in self._stages:
            frame = frame.with_columns(stage)
        judged = frame.select("uscc", "name", "error", *self._shown)
        return judged.map_batches(empty_unreadable, schema=judged.collect_schema(), streamable=True)

    def piece(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The same for a piece in memory."""
        # Every slot that is used twice is a column already: nothing is left to optimise.
        return self(frame.lazy()).collect(optimizations=pl.QueryOptFlags.none())


def _number(output: Output, value: Expr) -> Expr:
    return pl.when(value < 0).then(len(CLASS_WORDS) - 1).otherwise(value) if output.what == "class" else value


def empty_unreadable(piece: pl.DataFrame) -> pl.DataFrame:
    """Empty the answers of rows that have an error; most pieces have none and pass untouched."""
    if piece["error"].null_count() == piece.height:
        return piece
    answers = pl.exclude("uscc", "name", "error")
    return piece.with_columns(pl.when(pl.col("error").is_null()).then(answers))


def assess(frame: pl.LazyFrame, standards: Standards, available: Collection[str]) -> pl.LazyFrame:
    """:class:`Judge` in words: ``uscc, name, recognised, qualifies, could_reach, <id>…, error``."""
    judged, words = Judge(standards, available)(frame), Words(standards)
    numbers = judged.collect_schema()
    texts = {o.name: numbers[o.name] if o.what == "number" else pl.String() for o in words.outputs}
    schema = pl.Schema({"uscc": pl.String(), "name": pl.String(), **texts, "error": pl.String()})
    return judged.map_batches(words.texts, schema=schema, streamable=True)


class Words:
    """What the numbers of :class:`Judge` stand for. Safe between threads."""

    def __init__(self, standards: Standards) -> None:
        self.outputs = outputs(standards)
        self._lists = {o.name: _Lists(o.ids) for o in self.outputs if o.what == "ids"}

    def columns(self, judged: pl.DataFrame) -> dict[str, pl.Series | Coded]:
        """The columns of contract.md in their order: numbers as they are, words coded."""
        answers = {output.name: self.column(output, judged[output.name]) for output in self.outputs}
        return {"uscc": judged["uscc"], "name": judged["name"], **answers, "error": judged["error"]}

    def texts(self, judged: pl.DataFrame) -> pl.DataFrame:
        """The same as a frame of numbers and strings."""
        return pl.DataFrame(
            [
                (column if isinstance(column, pl.Series) else column.texts()).alias(name)
                for name, column in self.columns(judged).items()
            ]
        )

    def column(self, output: Output, numbers: pl.Series) -> pl.Series | Coded:
        """One of :attr:`outputs`."""
        if output.what == "number":
            return numbers
        if output.what == "ids":
            return self._lists[output.name].spelt(numbers)
        return Coded(VERDICT_WORDS if output.what == "verdict" else CLASS_WORDS, numbers)


@dataclass(frozen=True, slots=True)
class _Spelt:
    """The lists met so far, and for each mask the place of its list: null where it was not met."""

    words: Sequence[str]
    places: pl.Series


class _Lists:
    """Masks as lists of ids, ``R1;R3`` for 0b101."""

    _FEW = 14
    """Bits: of so few a table of all masks is looked into quicker than masks are told apart."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._ids = ids
        self._spelling: dict[int, str] = {}
        # Replaced whole, never changed: a thread that comes second adds again what it lacks.
        self._spelt = _Spelt(
            [], pl.Series([None], dtype=pl.UInt32).new_from_index(0, 1 << min(len(ids), self._FEW))
        )

    def spelt(self, masks: pl.Series) -> Coded:
        if len(self._ids) > self._FEW:
            met, places = distinct(masks)
            return Coded([None if mask is None else self._spell(mask) for mask in met], places)
        known = self._spelt
        places = known.places.gather(masks)
        if places.null_count() > masks.null_count():
            known = self._spelt = self._with(known, masks.filter(places.is_null()).drop_nulls().unique())
            places = known.places.gather(masks)
        return Coded(known.words, places)

    def _with(self, known: _Spelt, new: pl.Series) -> _Spelt:
        first = len(known.words)
        places = known.places.clone().scatter(new, pl.Series(range(first, first + len(new)), dtype=pl.UInt32))
        return _Spelt([*known.words, *map(self._spell, new)], places)

    def _spell(self, mask: int) -> str:
        spelling = self._spelling.get(mask)
        if spelling is None:
            spelling = ";".join(name for bit, name in enumerate(self._ids) if mask >> bit & 1)
            self._spelling[mask] = spelling
        return spelling


def staged(
    program: Program, wanted: Sequence[Slot], available: Collection[str]
) -> tuple[Sequence[Sequence[Expr]], dict[Slot, Expr]]:
    """The columns to add, stage by stage, and then an expression per wanted slot."""
    needed = program.needed(wanted)
    uses = Counter(arg for slot in needed for arg in program.nodes[slot].args)
    uses.update(dict.fromkeys(wanted, 2))
    exprs: dict[Slot, Expr] = {}
    stage: dict[Slot, int] = {}
    stages: dict[int, list[Expr]] = {}
    for slot in needed:
        node = program.nodes[slot]
        exprs[slot] = _expression(node, [exprs[arg] for arg in node.args], available)
        stage[slot] = max((stage[arg] for arg in node.args), default=0)
        if uses[slot] > 1 and node.args:
            name = f"#{slot}"
            stages.setdefault(stage[slot], []).append(exprs[slot].alias(name))
            exprs[slot] = pl.col(name)
            stage[slot] += 1
    return [stages[number] for number in sorted(stages)], {slot: exprs[slot] for slot in wanted}


def _expression(node: Node, args: list[Expr], available: Collection[str]) -> Expr:
    if node.op == "input":
        column = str(node.data)
        return pl.col(column) if column in available else pl.lit(None, dtype=column_dtype(column))
    return _OPERATIONS[node.op](node.data, args)


def _const(data: Any, args: list[Expr]) -> Expr:
    if isinstance(data, date):
        return pl.lit(data, dtype=pl.Date)
    return pl.lit(data, dtype=pl.Float64 if isinstance(data, float) else pl.Int64)


def _mul(data: Any, args: list[Expr]) -> Expr:
    if data == "wide":
        return args[0].cast(pl.Int128) * args[1].cast(pl.Int128)
    return args[0] * args[1]


def _classify(data: Any, args: list[Expr]) -> Expr:
    runs, unclear = data
    code = args[0]
    chain: Any = pl.when(code.is_null() | _equals(code, unclear)).then(pl.lit(None, dtype=pl.Int8))
    for low, high, number in runs:
        chain = chain.when(code.is_between(low, high)).then(pl.lit(number, dtype=pl.Int8))
    return chain.otherwise(pl.lit(0, dtype=pl.Int8))  # type: ignore[no-any-return]


def _equals(code: Expr, values: Sequence[int]) -> Expr:
    return pl.any_horizontal([code == value for value in values]) if values else pl.lit(False)


def _lookup(data: Any, args: list[Expr]) -> Expr:
    numbers: dict[int, list[int]] = {}
    for number, value in data:
        numbers.setdefault(value, []).append(number)
    chain: Any = pl
    for value, keys in numbers.items():
        chain = chain.when(_equals(args[0], keys)).then(pl.lit(value, dtype=pl.Int64))
    return chain.otherwise(pl.lit(None, dtype=pl.Int64))  # type: ignore[no-any-return]


def _among(data: Any, args: list[Expr]) -> Expr:
    figure = args[0]
    if data == (True,):
        return figure
    if len(data) == 1:
        return figure.eq(data[0])
    if not data:
        return pl.when(figure.is_not_null()).then(pl.lit(False))
    return figure.is_in(data)


def _spans(data: Any, args: list[Expr]) -> Expr:
    runs, unclear = data
    code = args[0]
    inside = pl.any_horizontal([code.is_between(low, high) for low, high in runs]) if runs else code < 0
    return pl.when(~_equals(code, unclear)).then(inside) if unclear else inside


def _chain(data: Any, args: list[Expr]) -> Expr:
    points, otherwise, missing = data
    # All truths of a chain read one quantity, so the first is null exactly where all are.
    chain: Any = pl.when(args[0].is_null()).then(pl.lit(missing, dtype=pl.Int16))
    for truth, given in zip(args, points, strict=True):
        chain = chain.when(truth).then(pl.lit(given, dtype=pl.Int16))
    return chain.otherwise(pl.lit(otherwise, dtype=pl.Int16))  # type: ignore[no-any-return]


_COMPARE: dict[str, Callable[[Expr, Any], Expr]] = {
    "ge": lambda a, b: a >= b,
    "gt": lambda a, b: a > b,
    "le": lambda a, b: a <= b,
    "lt": lambda a, b: a < b,
    "eq": lambda a, b: a == b,
}


def _verdict(verdict: Verdict) -> Expr:
    return pl.lit(int(verdict), dtype=pl.Int8)


def _within(data: Any, args: list[Expr]) -> Expr:
    op, line = data
    passes = _COMPARE[op]
    return (
        pl.when(passes(args[0], line))
        .then(_verdict(Verdict.MET))
        .when(passes(args[1], line))
        .then(_verdict(Verdict.UNKNOWN))
        .otherwise(_verdict(Verdict.UNMET))
    )


def _pack(data: Any, args: list[Expr]) -> Expr:
    total = args[-1].cast(pl.Int16)
    for verdict in args[-2::-1]:
        total = total * pl.lit(4, dtype=pl.Int16) + verdict
    return total


def _mask(data: Any, args: list[Expr]) -> Expr:
    """A look into a table for six verdicts costs less than one comparison for each."""
    if not args:
        return pl.lit(0, dtype=pl.UInt32)
    sizes, shown = data
    tables = [mask_table(size, shown, place * PACKED) for place, size in enumerate(sizes)]
    parts = [pl.lit(pl.Series(t, dtype=pl.UInt32)).gather(arg) for t, arg in zip(tables, args, strict=True)]
    return sum(parts[1:], parts[0])


def _size(data: Any, args: list[Expr]) -> Expr:
    chain: Any = pl
    for place, verdict in zip((3, 2, 1), args, strict=True):
        chain = chain.when(verdict == int(Verdict.MET)).then(pl.lit(place, dtype=pl.Int8))
        chain = chain.when(verdict == int(Verdict.UNKNOWN)).then(pl.lit(-1, dtype=pl.Int8))
    return chain.otherwise(pl.lit(0, dtype=pl.Int8))  # type: ignore[no-any-return]


def _highest(data: Any, args: list[Expr]) -> Expr:
    numbers, least = data
    chain: Any = pl
    for number, verdict in sorted(zip(numbers, args, strict=True), key=lambda pair: -pair[0]):
        chain = chain.when(verdict >= int(least)).then(pl.lit(number, dtype=pl.Int8))
    return chain.otherwise(pl.lit(0, dtype=pl.Int8))  # type: ignore[no-any-return]


def _not(data: Any, args: list[Expr]) -> Expr:
    verdict = args[0]
    return (
        pl.when(verdict == int(Verdict.UNMET))
        .then(_verdict(Verdict.MET))
        .when(verdict == int(Verdict.MET))
        .then(_verdict(Verdict.UNMET))
        .otherwise(verdict)
    )


_OPERATIONS: dict[str, Callable[[Any, list[Expr]], Expr]] = {
    "const": _const,
    "add": lambda _, a: a[0] + a[1],
    "sub": lambda _, a: a[0] - a[1],
    "mul": _mul,
    "lower": lambda _, a: pl.when(a[0] <= a[1]).then(a[0]).when(a[1] < a[0]).then(a[1]),
    "first": lambda _, a: pl.coalesce(a),
    "instead": lambda data, a: a[0].fill_null(data),
    "above_zero": lambda _, a: pl.when(a[0] > 0).then(a[0]),
    "where": lambda _, a: pl.when(a[0]).then(a[1]),
    "pick": lambda _, a: pl.when(a[0]).then(a[1]).when(~a[0]).then(a[2]),
    "classify": _classify,
    "lookup": _lookup,
    **{op: lambda _, a, compare=compare: compare(a[0], a[1]) for op, compare in _COMPARE.items()},  # type: ignore[misc]
    "among": _among,
    "starts": lambda data, a: a[0].str.starts_with(data),
    "spans": _spans,
    "known": lambda _, a: a[0].is_not_null(),
    "judge": lambda data, a: (a[0].cast(pl.Int8) * int(Verdict.MET)).fill_null(int(data)),
    "reach": lambda _, a: (
        pl.when(a[0])
        .then(_verdict(Verdict.MET))
        .when(a[1])
        .then(_verdict(Verdict.UNMET))
        .otherwise(_verdict(Verdict.UNKNOWN))
    ),
    "all": lambda _, a: pl.min_horizontal(a),
    "any": lambda _, a: pl.max_horizontal(a),
    "not": _not,
    "chain": _chain,
    "total": lambda _, a: sum(a[1:], a[0]),
    "best": lambda _, a: pl.max_horizontal(a),
    "cap": lambda data, a: pl.min_horizontal(a[0], pl.lit(data, dtype=pl.Int16)),
    "within": _within,
    "pack": _pack,
    "mask": _mask,
    "size": _size,
    "highest": _highest,
}
