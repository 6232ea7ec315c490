"""What the reader has to say about a table: the catalogue of issues and the log a run fills.

Catalogue: ``seeds/fields/issues.yaml``; documented in ``docs/files.md``.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import yaml

from models.errors import FileRefused, OutputRefused, Text, TiduiError, UsageRefused
from models.seeds import seed

Level = Literal["file", "row", "cell", "entry", "warning", "notice"]

LISTED_LIMIT = 200_000
"""How many cell issues a log keeps one by one; beyond it they are counted by code and column only."""


@dataclass(frozen=True, slots=True)
class IssueKind:
    """One entry of the catalogue."""

    code: str
    level: Level
    text: Text
    fix: Text


@cache
def issue_kinds() -> Mapping[str, IssueKind]:
    entries = yaml.load(seed("fields", "issues.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    return {
        code: IssueKind(code, e["level"], Text(e["zh"], e["en"]), Text(e["fix_zh"], e["fix_en"]))
        for code, e in entries.items()
    }


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to look at. ``row`` is as the sheet shows it (header included), None for a column or file."""

    code: str
    row: int | None = None
    column: str | None = None
    """The header as written."""
    value: str | None = None
    """The cell as written."""
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def kind(self) -> IssueKind:
        return issue_kinds()[self.code]

    @property
    def text(self) -> Text:
        return self.kind.text.format(**self._values())

    @property
    def fix(self) -> Text:
        return self.kind.fix.format(**self._values())

    def _values(self) -> dict[str, object]:
        return {"column": self.column, "value": self.value, **self.details}


def refusal(code: str, place: str | None = None, **details: object) -> TiduiError:
    """The exception for a catalogue entry of level ``file``; raise it."""
    kind = issue_kinds()[code]
    error = FileRefused if code < "E400" else OutputRefused if code in {"E401", "E402"} else UsageRefused
    return error(code, kind.text.format(**details), kind.fix.format(**details), place)


class IssueLog:
    """Collects issues from any thread. All are counted; the first ``listed_limit`` are kept one by one."""

    def __init__(self, listed_limit: int = LISTED_LIMIT) -> None:
        self.listed_limit = listed_limit
        self.counts: Counter[tuple[str, str | None]] = Counter()
        """(code, column) → how often."""
        self._issues: list[Issue] = []
        self._lock = threading.Lock()

    def add(self, issues: Iterable[Issue]) -> None:
        with self._lock:
            for issue in issues:
                self.counts[issue.code, issue.column] += 1
                if len(self._issues) < self.listed_limit:
                    self._issues.append(issue)

    def count(self, code: str, column: str | None, times: int) -> None:
        """Count without listing, for a log that is full."""
        with self._lock:
            self.counts[code, column] += times

    @property
    def full(self) -> bool:
        return len(self._issues) >= self.listed_limit

    def __len__(self) -> int:
        return self.counts.total()

    @property
    def unlisted(self) -> int:
        return len(self) - len(self._issues)

    def listed(self) -> Sequence[Issue]:
        """In the order of the sheet: about the file and its columns first, then by row."""
        return sorted(self._issues, key=lambda issue: (issue.row or 0, issue.code))
