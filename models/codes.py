"""Code tables: GB/T 4754-2017 industries, Shanghai's districts, strategic emerging industries.

An industry code is held as one whole number that keeps its length and its leading zeros:
the digits filled up with zeros to four, times ten, plus how many digits were given
(``39`` → 39002, ``0111`` → 1114, ``701`` → 70104, because group 701 has the single class 7010).
Every prefix is then one run of numbers, which tables compare without touching text.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from models.seeds import seed


def encode_industry(digits: str) -> int:
    """``"3911"`` → 39114. ``digits`` is two to four digits without a section letter."""
    if not (digits.isascii() and digits.isdigit() and 2 <= len(digits) <= 4):
        raise ValueError(f"two to four digits, not {digits!r}")
    if digits == "701":
        digits = "7010"
    return int(digits.ljust(4, "0")) * 10 + len(digits)


def decode_industry(number: int) -> str:
    """39114 → ``"3911"``."""
    return f"{number // 10:04d}"[: number % 10]


def industry_span(prefix: str) -> tuple[int, int]:
    """First and last number that every code beginning with ``prefix`` lies between, both included."""
    return int(prefix.ljust(4, "0")) * 10 + len(prefix), int(prefix.ljust(4, "9")) * 10 + 4


@dataclass(frozen=True)
class Industries:
    """GB/T 4754-2017. ``names`` maps ``"39"``, ``"391"``, ``"3911"`` and sections ``"C"`` to names."""

    names: Mapping[str, str]
    sections: Mapping[str, str]
    """Division → section letter: ``"39"`` → ``"C"``."""

    def listed(self, digits: str) -> bool:
        return digits in self.names

    def label(self, number: int) -> str:
        """39114 → ``"C3911 计算机整机制造"``; a code the standard does not list stays bare."""
        digits = decode_industry(number)
        name = self.names.get(digits)
        return f"{self.sections[digits[:2]]}{digits} {name}" if name else digits

    def by_name(self, name: str) -> str | None:
        """The code whose name this is, exactly; the shortest where a group has one class of its own name."""
        return _codes_by_name().get(name)


@dataclass(frozen=True)
class Districts:
    """Shanghai's districts, today's and former ones; other places are known by their province only."""

    names: Mapping[str, str]
    """Six digits → name, today's districts first, then ``310000`` 上海市."""
    readings: Mapping[str, str]
    """What people write (with and without 区, former names and codes) → six digits of today."""
    provinces: Mapping[str, str]
    """First two digits → name, for places outside Shanghai."""

    def label(self, code: str) -> str:
        name = self.names.get(code)
        return f"{code} {name}" if name else f"{code} {self.provinces.get(code[:2], '')}".strip()


@cache
def industries() -> Industries:
    names: dict[str, str] = {}
    sections: dict[str, str] = {}
    section = ""
    for row in _rows("gbt4754_2017.csv"):
        names[row["code"]] = row["name"]
        if row["code"].isalpha():
            section = row["code"]
        else:
            sections.setdefault(row["code"][:2], section)  # amendments stand at the end of the file
    return Industries(names, sections)


@cache
def _codes_by_name() -> Mapping[str, str]:
    found: dict[str, str] = {}
    clashes: set[str] = set()
    for code, name in industries().names.items():
        if code.isalpha():
            continue
        first = found.setdefault(name, code)
        if not code.startswith(first):
            clashes.add(name)
    return {name: code for name, code in found.items() if name not in clashes}


@cache
def districts() -> Districts:
    names: dict[str, str] = {}
    readings: dict[str, str] = {}
    provinces: dict[str, str] = {}
    for row in _rows("districts.csv"):
        if row["kind"] == "province":
            provinces[row["code"]] = row["name"]
            continue
        if row["kind"] == "current":
            names[row["code"]] = row["name"]
        for written in (row["code"], row["name"], *row["also"].split()):
            readings[written] = row["now"]
    return Districts(names, readings, provinces)


@cache
def strategic_emerging() -> tuple[str, ...]:
    """Names of the nine fields of 战略性新兴产业分类（2018）, for the form; the flag itself is entered."""
    return tuple(row["name"] for row in _rows("strategic_emerging.csv"))


def _rows(name: str) -> list[dict[str, str]]:
    with seed("codes", name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
