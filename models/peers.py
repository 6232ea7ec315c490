"""Where a firm stands among its peers, figure by figure: firms of its sector and size in the active edition.

Of each group a hundred and one quantiles are kept beside the edition, worked out once: an edition never
changes, and a correction by hand moves no percentile that anyone would notice.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import yaml

from models.codes import industries
from models.errors import Text
from models.fields import catalogue
from models.figures import trade
from models.forms import both
from models.kept import Kept
from models.learn.groups import SIZE_PACK, UNKNOWN, size_inputs, sizes_of
from models.learn.history import day_of
from models.registry.merged import Registry
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.seeds import seed
from models.store import NotStored, Store
from models.tabular.guide import SIZE_WORDS
from models.tabular.output import atomic_output

MOST_FIRMS = 2_000_000
"""About so many are enough for any percentile; whole buckets, which are drawn by the hash of the code."""
_PARTS = np.linspace(0, 1, 101)
Level = Literal["sector_and_size", "sector", "all"]
LEVELS: Mapping[Level, Text] = {
    "sector_and_size": Text("同行业门类、同规模", "same sector, same size"),
    "sector": Text("同行业门类", "same sector"),
    "all": Text("名册全部企业", "all firms of the registry"),
}


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of last year; ``of``: one field, or two that are divided, or one that grows."""

    key: str
    kind: Literal["figure", "share", "growth"]
    of: tuple[str, ...]
    name: Text
    better: Literal["high", "low"] | None

    @property
    def unit(self) -> str:
        return catalogue()[self.of[0]].unit if self.kind == "figure" else ""

    def columns(self, year: int) -> list[str]:
        """Canonical columns that are read; ``year``: of the evaluation date."""
        if self.kind == "growth":
            return [catalogue()[self.of[0]].column(year - back) for back in (1, 2)]
        return [catalogue()[key].column(year - 1) for key in self.of]

    def expression(self, year: int) -> pl.Expr:
        """Null where a figure is missing, or what it is divided by is not above zero."""
        first, *second = (pl.col(column).cast(pl.Float64) for column in self.columns(year))
        if not second:
            return first
        quotient = pl.when(second[0] > 0).then(first / second[0])
        return quotient - 1 if self.kind == "growth" else quotient


@dataclass(frozen=True)
class Measures:
    """``least``: firms with a figure that a group needs; ``digest``: of how they are written down."""

    least: int
    measures: tuple[Measure, ...]
    digest: str


@cache
def measures() -> Measures:
    """What ships in ``seeds/learning/peers.yaml``."""
    text = seed("learning", "peers.yaml").read_bytes()
    written = yaml.safe_load(text)
    found = tuple(_measure(key, one) for key, one in written["measures"].items())
    return Measures(written["least"], found, hashlib.sha256(text).hexdigest())


def _measure(key: str, entry: Mapping[str, Any]) -> Measure:
    kind: Literal["figure", "share", "growth"]
    kind = "share" if "share" in entry else "growth" if "growth" in entry else "figure"
    of = entry[kind]
    name = Text(*entry["name"]) if "name" in entry else catalogue()[of].label
    return Measure(key, kind, tuple(of) if kind == "share" else (of,), name, entry.get("better"))


@dataclass(frozen=True)
class Quantiles:
    """Group (sector, size, measure; ``""`` for any) → how many firms have it, and its quantiles."""

    groups: Mapping[tuple[str, str, str], tuple[int, Any]]


_KEPT: Kept[tuple[str, int], Quantiles] = Kept(4)


def quantiles_of(
    edition: str, read: Callable[[], Registry], store: Store, year: int, book: Rulebook
) -> Quantiles:
    """Of an edition (its hash) for an evaluation year; from the store where somebody has asked before.

    ``read`` gives the registry where it has to be worked out.
    """
    key = f"peers/{edition}-{year}-{book.hash[:12]}-{measures().digest[:12]}.parquet"

    def make() -> Quantiles:
        try:
            stored = pl.read_parquet(store.fetch(key), glob=False)
        except NotStored:
            stored = _table(read(), year, book)
            with tempfile.TemporaryDirectory(prefix="tidui-peers-") as folder:
                local = Path(folder) / "peers.parquet"
                with atomic_output(local) as part:
                    stored.write_parquet(part)
                store.put(local, key)
        return Quantiles(
            {
                (sector, size, measure): (firms, np.array(values))
                for sector, size, measure, firms, values in stored.iter_rows()
            }
        )

    return _KEPT.get((key, year), make)


def _table(registry: Registry, year: int, book: Rulebook) -> pl.DataFrame:
    """``sector, size, measure, firms, quantiles``: a row a group."""
    wanted = {column for one in measures().measures for column in one.columns(year)}
    columns = wanted | size_inputs(year, book) | {"industry"}
    pieces: list[pl.DataFrame] = []
    for bucket in registry.buckets(columns):
        blank = [pl.lit(None, pl.Float64).alias(c) for c in sorted(wanted) if c not in bucket.columns]
        numbers = [one.expression(year).alias(one.key) for one in measures().measures]
        figures = bucket.with_columns(blank).select(numbers)
        pieces.append(figures.with_columns(sector=_sectors(bucket), size=sizes_of(bucket, year, book)))
        if sum(piece.height for piece in pieces) >= MOST_FIRMS:
            break
    firms = pl.concat(pieces)
    return pl.DataFrame(
        list(_rows(firms)),
        schema={
            "sector": pl.String, "size": pl.String, "measure": pl.String, "firms": pl.Int64,
            "quantiles": pl.List(pl.Float64),
        },
        orient="row",
    )  # fmt: skip


def _rows(firms: pl.DataFrame) -> Iterator[tuple[str, str, str, int, list[float]]]:
    parts = {("", ""): firms}
    for (sector,), some in firms.partition_by("sector", as_dict=True).items():
        parts[str(sector), ""] = some
        for (size,), few in some.partition_by("size", as_dict=True).items():
            parts[str(sector), str(size)] = few
    for (sector_key, size_key), some in sorted(parts.items()):
        for measure in measures().measures:
            values = some[measure.key].drop_nulls().to_numpy()
            if len(values) >= measures().least:
                yield sector_key, size_key, measure.key, len(values), np.quantile(values, _PARTS).tolist()


def _sectors(firms: pl.DataFrame) -> pl.Series:
    """Letter of the section of GB/T 4754-2017."""
    if "industry" not in firms.columns:
        return pl.Series([UNKNOWN], dtype=pl.String).new_from_index(0, firms.height)
    letters = {int(code): letter for code, letter in industries().sections.items() if code.isdigit()}
    return (firms["industry"] // 1000).replace_strict(letters, default=UNKNOWN, return_dtype=pl.String)


def peers_of(quantiles: Quantiles, figures: Mapping[str, Any], year: int, book: Rulebook) -> dict[str, Any]:
    """A firm's place in its group, plain: group, and per measure value, percentile, quartiles.

    ``figures`` as :mod:`models.fields` holds them. The group is the narrowest that has enough firms, measure
    by measure; ``percentile``: share of peers below it, 0 to 100, ties counted half.
    """
    table = book[SIZE_PACK].size_table
    assert table is not None
    size = table.class_of(figures, Period(day_of(year), "new"))
    frame = pl.DataFrame({"industry": [figures.get("industry")]}, schema={"industry": pl.Int32})
    sector = str(_sectors(frame)[0])
    return {
        "year": year - 1,
        "sector": None if sector == UNKNOWN else {"code": sector, "name": industries().names[sector]},
        "industry": trade(figures.get("industry")),
        "size": {"key": size, **both(SIZE_WORDS[size])},
        "figures": [_place(one, quantiles, figures, year, sector, size) for one in measures().measures],
    }


def _place(
    measure: Measure, quantiles: Quantiles, figures: Mapping[str, Any], year: int, sector: str, size: str
) -> dict[str, Any]:
    level, (firms, values) = _group(measure, quantiles, sector, size)
    value = _value(measure, figures, year)
    told = value is not None and level is not None
    return {
        "measure": measure.key,
        "name": both(measure.name),
        "unit": measure.unit,
        "columns": measure.columns(year),
        "value": value,
        "percentile": _percentile(values, value) if told and value is not None else None,
        "better": measure.better,
        "group": None if level is None else {"level": level, **both(LEVELS[level])},
        "peers": firms,
        "quartiles": None if level is None else [float(values[place]) for place in (25, 50, 75)],
    }


def _group(
    measure: Measure, quantiles: Quantiles, sector: str, size: str
) -> tuple[Level | None, tuple[int, Any]]:
    narrow: tuple[tuple[Level, tuple[str, str]], ...] = (
        ("sector_and_size", (sector, size)), ("sector", (sector, "")), ("all", ("", "")),
    )  # fmt: skip
    for level, group in narrow:
        if UNKNOWN not in group and (*group, measure.key) in quantiles.groups:
            return level, quantiles.groups[*group, measure.key]
    return None, (0, None)


def _value(measure: Measure, figures: Mapping[str, Any], year: int) -> float | None:
    columns = measure.columns(year)
    if any(figures.get(column) is None for column in columns):
        return None
    schema = dict.fromkeys(columns, pl.Float64)
    frame = pl.DataFrame({column: [float(figures[column])] for column in columns}, schema=schema)
    found = frame.select(measure.expression(year)).item()
    return None if found is None else float(found)


def _percentile(values: Any, value: float) -> float:
    below = float(np.interp(value, values, _PARTS, left=0.0, right=1.0))
    first, last = np.searchsorted(values, value, "left"), np.searchsorted(values, value, "right")
    if last - first > 1:  # many have just this figure
        below = float(_PARTS[first] + _PARTS[last - 1]) / 2
    return round(100 * below, 1)
