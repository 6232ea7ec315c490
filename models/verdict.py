"""The verdict chain ``unmet < unknown < review < met`` (contract.md, *Verdicts*)."""

from __future__ import annotations

from enum import IntEnum

from models.errors import Text


class Verdict(IntEnum):
    """*all of* is ``min``, *any of* is ``max``; the numbers are what tables hold as Int8."""

    UNMET = 0
    UNKNOWN = 1
    REVIEW = 2
    MET = 3

    @property
    def key(self) -> str:
        return self.name.lower()

    @property
    def text(self) -> Text:
        return _TEXTS[self]


_TEXTS = {
    Verdict.UNMET: Text("未达标", "unmet"),
    Verdict.UNKNOWN: Text("缺数据", "unknown: a figure is missing"),
    Verdict.REVIEW: Text("待核验", "to be reviewed by a person"),
    Verdict.MET: Text("达标", "met"),
}
DISCLAIMER = Text("预评估，不构成认定", "An assessment, not a recognition")
