"""The table reader: a program as polars expressions, over any number of firms, streaming.

Slots that several others use become columns, stage by stage; the rest are written in line.
A verdict column is Int8 and never null, which is what makes ``min_horizontal`` safe here
(it skips nulls; a missing *figure* has become ``unknown`` before).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from models.dtypes import dtype_of
from models.fields import catalogue
from models.rules.compile import Compiled, Standards
from models.rules.program import Node, Program, Slot
from models.rules.size import SizeTable
from models.verdict import Verdict

Expr = pl.Expr

VERDICT_WORDS = pl.Series([verdict.key for verdict in Verdict], dtype=pl.String)
CLASS_WORDS = pl.Series([*SizeTable.KEYS, "unknown"], dtype=pl.String)


def column_dtype(column: str) -> Any:
    """The polars type a canonical column is held in (models.fields)."""
    parsed = catalogue().parse_column(column)
    assert parsed is not None, column
    return dtype_of(parsed[0])


def assess(frame: pl.LazyFrame, standards: Standards, available: Collection[str]) -> pl.LazyFrame:
    """Add the result columns of contract.md, *The main command*, to a canonical frame.

    ``frame``: one row per firm in canonical types (:mod:`models.fields`), with ``uscc``, ``name``
    and ``error``; columns not in ``available`` count as blank. Returns ``uscc, name, recognised,
    qualifies, could_reach, <id>…, error``; a row with an error has all between empty.
    """
    outputs: dict[str, tuple[str, Slot, Compiled | None]] = {
        "recognised": ("number", standards.recognised, None),
        "qualifies": ("number", standards.qualifies, None),
        "could_reach": ("number", standards.could_reach, None),
    }
    for pack_id in standards.chosen:
        outputs |= _outputs(standards.compiled[pack_id])
    frame, columns = materialise(
        frame, standards.program, [slot for _, slot, _ in outputs.values()], available
    )
    shown = [
        _show(what, columns[slot], compiled).alias(name) for name, (what, slot, compiled) in outputs.items()
    ]
    result = frame.select("uscc", "name", *shown, "error")
    return result.map_batches(empty_unreadable, schema=result.collect_schema(), streamable=True)


def empty_unreadable(piece: pl.DataFrame) -> pl.DataFrame:
    """Empty the answers of rows that have an error; most pieces have none and pass untouched."""
    if piece["error"].null_count() == piece.height:
        return piece
    answers = pl.exclude("uscc", "name", "error")
    return piece.with_columns(pl.when(pl.col("error").is_null()).then(answers))


def _outputs(compiled: Compiled) -> dict[str, tuple[str, Slot, Compiled | None]]:
    name = compiled.pack.id
    what = "verdict" if compiled.pack.size_table is None else "class"
    outputs: dict[str, tuple[str, Slot, Compiled | None]] = {name: (what, compiled.verdict, compiled)}
    if compiled.score:
        low, high = compiled.score
        outputs |= {f"{name}.low": ("number", low, None), f"{name}.high": ("number", high, None)}
    outputs[f"{name}.unmet"] = ("ids", compiled.unmet, compiled)
    outputs[f"{name}.open"] = ("ids", compiled.open, compiled)
    return outputs


def _show(what: str, value: Expr, compiled: Compiled | None) -> Expr:
    if what == "verdict":
        return words(value, VERDICT_WORDS)
    if what == "class":
        return words(pl.when(value < 0).then(4).otherwise(value), CLASS_WORDS)
    if what == "ids":
        assert compiled is not None
        return value.map_batches(IdLists(compiled.term_ids), return_dtype=pl.String, is_elementwise=True)
    return value


def words(number: Expr, table: pl.Series) -> Expr:
    """The word for each number; null stays null."""
    return number.cast(pl.UInt32).map_batches(table.gather, return_dtype=pl.String, is_elementwise=True)


_NOWHERE = np.iinfo(np.uint32).max


class IdLists:
    """Masks → ``id;id``: each mask that occurs is spelt once, whatever the number of rows."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._ids = ids
        self._places = np.full(1 << len(ids), _NOWHERE, dtype=np.uint32)
        self._spelt: list[str] = []
        self._series = pl.Series([], dtype=pl.String)
        self._lock = threading.Lock()

    def __call__(self, masks: pl.Series) -> pl.Series:
        numbers = masks.to_numpy()
        places = self._places[numbers]
        if places.size and places.max() == _NOWHERE:
            self._spell(np.unique(numbers[places == _NOWHERE]))
            places = self._places[numbers]
        return self._series.gather(pl.Series(places))

    def _spell(self, numbers: np.ndarray[Any, Any]) -> None:
        with self._lock:
            fresh = [number for number in numbers.tolist() if self._places[number] == _NOWHERE]
            first = len(self._spelt)
            self._spelt += [
                ";".join(name for bit, name in enumerate(self._ids) if number >> bit & 1) for number in fresh
            ]
            self._series = pl.Series(self._spelt, dtype=pl.String)
            # Places are published after the words they point to: other threads read without the lock.
            self._places[fresh] = np.arange(first, len(self._spelt), dtype=np.uint32)


def materialise(
    frame: pl.LazyFrame, program: Program, wanted: Sequence[Slot], available: Collection[str]
) -> tuple[pl.LazyFrame, dict[Slot, Expr]]:
    """Add the columns that the wanted slots need; returns the frame and an expression per wanted slot."""
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
    for number in sorted(stages):
        frame = frame.with_columns(stages[number])
    return frame, {slot: exprs[slot] for slot in wanted}


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


def _mask(data: Any, args: list[Expr]) -> Expr:
    """Bits are packed eight to a byte first: narrow columns are the cheap ones."""
    if not args:
        return pl.lit(0, dtype=pl.UInt32)
    total: Expr | None = None
    for start in range(0, len(args), 8):
        byte: Expr | None = None
        for bit, verdict in enumerate(args[start : start + 8]):
            on = (
                pl.any_horizontal([verdict == int(v) for v in data])
                if len(data) > 1
                else verdict == int(data[0])
            )
            part = on.cast(pl.UInt8) * pl.lit(1 << bit, dtype=pl.UInt8)
            byte = part if byte is None else byte + part
        assert byte is not None
        wide = byte.cast(pl.UInt32) * pl.lit(1 << start, dtype=pl.UInt32)
        total = wide if total is None else total + wide
    assert total is not None
    return total


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
    "mask": _mask,
    "size": _size,
    "highest": _highest,
}
