"""The field catalogue: every figure a firm can have, its type, unit, period and names.

Source: ``seeds/fields.csv`` (the contract's table, unchanged) and ``seeds/fields/labels.yaml``
(English names, header synonyms, enum labels).

How values are held, in tables (polars) and in one firm (Python), the same on both sides:

==========  ==================  =============  =================================================
type        polars              Python         meaning
==========  ==================  =============  =================================================
text        String              str            as registered
code        String              str            uscc: 18 characters; district: six digits
industry    Int32               int            see :mod:`models.codes` (``39`` → 39002)
money       Int64               int            whole 元 (valuation_usd: whole 美元)
count, year Int64               int            a year of 0 means never
decimal     Float64             float          niche_years
score       Float64             float          points
ratio       Float64             float          0.105 is 10.5 %
bool        Boolean             bool
enum        String              str            the key
date        Date                date
title       Date                date           valid through that day; NO_TITLE means 无
==========  ==================  =============  =================================================

A blank is null / None everywhere.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from models.errors import Text
from models.seeds import seed

NO_TITLE = date(1, 1, 1)
"""Held for "holds no such title" (无): a date no title is valid on, and not a blank."""

MONEY_LIMIT = 10**15
"""Largest absolute amount held, in 元: a hundred times the 10 万亿元 up to which lines are exact."""

COUNT_LIMIT = 10**9

FieldType = Literal[
    "text", "code", "money", "count", "decimal", "score", "ratio", "bool", "enum", "date", "title", "year"
]
_RANGE = re.compile(r"^(\d+)\.\.(\d+)\b")
_COLUMN = re.compile(r"^(?P<key>[a-z][a-z0-9_]*?)_(?P<year>(?:19|20)\d\d)$")


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the catalogue."""

    key: str
    header_zh: str
    header_en: str
    type: FieldType
    unit: str
    yearly: bool
    when_missing: Literal["unknown", "review", "required"]
    note: str
    synonyms: tuple[str, ...] = ()
    options: Mapping[str, Text] | None = None
    """Enum keys with their labels."""
    range: tuple[int, int] | None = None
    negative_allowed: bool = False
    none_is_zero: bool = False
    """无 in a cell means 0 (numbers of 件, ranks, never entered), as conventions.md §3.1 asks by field."""

    def column(self, year: int | None = None) -> str:
        """Name of the column that holds this field, for a year where it has one per year."""
        if self.yearly != (year is not None):
            raise ValueError(f"{self.key}: {'needs a year' if self.yearly else 'has no year'}")
        return f"{self.key}_{year}" if self.yearly else self.key

    @property
    def label(self) -> Text:
        return Text(self.header_zh, self.header_en)


@dataclass(frozen=True)
class Catalogue:
    """All fields, in the order of ``fields.csv``."""

    fields: Mapping[str, Field]

    def __getitem__(self, key: str) -> Field:
        return self.fields[key]

    def __contains__(self, key: object) -> bool:
        return key in self.fields

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields.values())

    def parse_column(self, name: str) -> tuple[Field, int | None] | None:
        """``revenue_2025`` → (revenue, 2025); ``niche_years`` → (niche_years, None); else None."""
        if name in self.fields and not self.fields[name].yearly:
            return self.fields[name], None
        match = _COLUMN.match(name)
        if match and match["key"] in self.fields and self.fields[match["key"]].yearly:
            return self.fields[match["key"]], int(match["year"])
        return None


def load_catalogue(fields_csv: Path, labels_yaml: Path) -> Catalogue:
    labels = yaml.load(labels_yaml.read_text("utf-8"), Loader=yaml.CSafeLoader)
    with fields_csv.open(encoding="utf-8-sig", newline="") as file:
        fields = [_field(row, labels.get(row["key"], {})) for row in csv.DictReader(file)]
    unknown = set(labels) - {field.key for field in fields}
    if unknown:
        raise ValueError(f"{labels_yaml.name}: not in {fields_csv.name}: {sorted(unknown)}")
    return Catalogue({field.key: field for field in fields})


@cache
def catalogue() -> Catalogue:
    """The catalogue that ships."""
    return load_catalogue(seed("fields.csv"), seed("fields", "labels.yaml"))


def _field(row: Mapping[str, str], label: Mapping[str, object]) -> Field:
    note = row["values_or_note"]
    span = _RANGE.match(note)
    options = None
    if row["type"] == "enum":
        keys = [key.strip() for key in note.split("(")[0].split("|")]
        named = label.get("options", {})
        assert isinstance(named, dict)
        options = {key: Text(*named[key]) for key in keys}
    synonyms = label.get("synonyms", ())
    assert isinstance(synonyms, list | tuple)
    return Field(
        key=row["key"],
        header_zh=row["header_zh"],
        header_en=str(label["en"]),
        type=row["type"],  # type: ignore[arg-type]
        unit=row["unit"],
        yearly=row["period"] == "year",
        when_missing=row["when_missing"],  # type: ignore[arg-type]
        note=note,
        synonyms=tuple(synonyms),
        options=options,
        range=(int(span[1]), int(span[2])) if span else None,
        negative_allowed="may be negative" in note,
        none_is_zero=row["unit"] == "件" or "_rank" in row["key"],
    )
