"""What is left blank, as in real uploads: by kind of field, by firm, and here and there by year.

A few per cent of firms filled in next to nothing; small firms leave most attestations open; even listed firms
leave 13 % of R&D and 15 % of R&D staff blank (calibration.md).
"""

from __future__ import annotations

import numpy as np

from models.fields import Field
from models.learn.synth.profile import BLOCK, BoolArray, FloatArray, IntArray, Profile

MOSTLY_BLANK = 0.04
"""Share of ordinary firms that left nearly everything blank."""

_IDENTITY = ("established_on", "district", "industry")
_RESEARCH = ("rd_expense", "rd_expense_mainland", "hightech_revenue")
_STAFF = ("rd_staff", "tech_staff")
_OFFICE = ("listed_board", "directory_first_year", "directory_entry_path")
"""Known from registers rather than from the firm."""

_RATES = {
    "identity": (0.012, 0.010, 0.005, 0.002, 0.002),
    "figure": (0.090, 0.070, 0.035, 0.015, 0.030),
    "research": (0.20, 0.12, 0.05, 0.02, 0.13),
    "staff": (0.22, 0.16, 0.06, 0.03, 0.15),
    "office": (0.10, 0.06, 0.04, 0.02, 0.02),
    "rights": (0.55, 0.25, 0.05, 0.02, 0.15),
    "title": (0.30, 0.18, 0.05, 0.02, 0.10),
    "optional": (0.84, 0.78, 0.08, 0.03, 0.70),
}
"""Blank rate by care: ordinary, ordinary that does research, diligent, strong, traded over the counter."""


def care(profile: Profile) -> IntArray:
    """How well each firm fills in its form: the column of :data:`_RATES`."""
    usual = np.where(profile.diligent, 2, np.where(profile.doer, 1, 0))
    return np.where(profile.strong, 3, np.where(profile.upper, 4, usual))


def kind_of(field: Field) -> str:
    """The row of :data:`_RATES` for a field."""
    for kind, keys in (
        ("identity", _IDENTITY),
        ("research", _RESEARCH),
        ("staff", _STAFF),
        ("office", _OFFICE),
    ):
        if field.key in keys:
            return kind
    if field.type == "title":
        return "title"
    if field.unit == "件":
        return "rights"
    return "figure" if field.yearly else "optional"


class Blanker:
    """Blanks the columns of one block, one field after the other."""

    def __init__(self, rng: np.random.Generator, profile: Profile) -> None:
        self._rng = rng
        self._care = care(profile)
        self._empty = (rng.random(BLOCK) < MOSTLY_BLANK) & ~profile.strong & ~profile.upper

    def apply(self, field: Field, values: FloatArray) -> FloatArray:
        """``values`` of shape (BLOCK,) or (years, BLOCK) with NaN where blank."""
        return np.where(self._blank(field, values.shape), np.nan, values)

    def _blank(self, field: Field, shape: tuple[int, ...]) -> BoolArray:
        kind = kind_of(field)
        rate = np.array(_RATES[kind])[self._care]
        if kind == "identity":
            return self._rng.random(BLOCK) < rate
        # Half of a yearly field's blanks are the whole field, half a year here or there.
        yearly = len(shape) > 1
        blank = self._rng.random(BLOCK) < (rate / 2 if yearly else rate)
        blank |= self._empty & (self._rng.random(BLOCK) < 0.96)
        return blank | (self._rng.random(shape) < rate / 2) if yearly else blank
