"""What a part has to say for the summary, as counts that add up over the parts of a run.

``groups``: dimension → value → cell; the dimension ``all`` has the one value ``""``, and so has any firm that
leaves the dimension blank. A cell is ``{"firms": n, "ladder": {answer: [firms by rung]}, "standards": {id:
[firms by verdict]}}``. ``conditions``: standard → condition → [unmet, open, alone], over firms that do not
meet it; alone: nothing else stands against them. ``blanks``: standard → column → firms for which that one
figure is all that is missing. ``plan``: target → district → counts. Beside these (:mod:`.estimating`)
``outlook``: task → ``{"abstained": {reason: firms}, "tally": …}``, or ``{"refused": firms}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from models.codes import industries
from models.plan import plan
from models.registry.judging import LADDER, Judging
from models.rules.compile import Compiled
from models.rules.program import Program
from models.rules.table import CLASS_WORDS, VERDICT_WORDS, Output, outputs
from models.targets import COUNTS, count_targets
from models.verdict import Verdict

Counts = dict[str, Any]
RUNGS = 7
SIZE = "size.n300"
DIMENSIONS = ("all", "district", "industry", "size")


class Counting:
    """Counts the parts of runs by one rulebook and date."""

    def __init__(self, judging: Judging) -> None:
        standards = judging.standards
        self._chosen = [standards.compiled[pack_id] for pack_id in standards.chosen]
        self._reads = {compiled.pack.id: _reads(compiled, standards.program) for compiled in self._chosen}
        self._verdicts = [o for o in outputs(standards) if o.what in ("verdict", "class")]

    def __call__(self, firms: pl.DataFrame, judged: pl.DataFrame) -> Counts:
        """The counts of one part. ``judged``: what the judging made of ``firms``, row by row."""
        missing = _Missing(firms)
        against = {compiled.pack.id: _Against(compiled, judged) for compiled in self._chosen}
        return {
            "firms": firms.height,
            "groups": _groups(firms, judged, self._verdicts),
            "conditions": {name: one.conditions() for name, one in against.items()},
            "blanks": {name: one.blanks(self._reads[name], missing) for name, one in against.items()},
            "plan": _plan(judged),
        }


def _reads(compiled: Compiled, program: Program) -> list[list[str]]:
    """The figures that each of a standard's terms is worked out from."""
    table = compiled.pack.size_table
    if table is not None:
        figures = [compiled.period.column(figure, 1) for figure in table.figures]
        return [[table.industry.column()], *([column] for column in figures)]
    return [sorted(program.inputs([branch.slot])) for branch in compiled.branches]


def add_up(total: Any, more: Any) -> Any:
    """Two counts as one: numbers are added, lists place by place, mappings key by key."""
    if isinstance(total, Mapping):
        return {
            key: add_up(total[key], more[key])
            if key in total and key in more
            else total.get(key, more.get(key))
            for key in [*total, *(key for key in more if key not in total)]
        }
    if isinstance(total, list):
        return [add_up(one, other) for one, other in zip(total, more, strict=True)]
    return total + more


def words_of(output: Output) -> list[str]:
    """What the places of a standard's verdict counts stand for."""
    return CLASS_WORDS if output.what == "class" else VERDICT_WORDS


def _groups(firms: pl.DataFrame, judged: pl.DataFrame, verdicts: Sequence[Output]) -> Counts:
    groups: Counts = {}
    for dimension, labels in _dimensions(firms, judged).items():
        values, places = np.unique(labels, return_inverse=True)
        ladder = {name: _crossed(places, len(values), judged[name], RUNGS) for name in LADDER}
        standards = {
            output.name: _crossed(places, len(values), judged[output.name], len(words_of(output)))
            for output in verdicts
        }
        totals = np.bincount(places, minlength=len(values))
        groups[dimension] = {
            str(value): {
                "firms": int(totals[at]),
                "ladder": {name: table[at].tolist() for name, table in ladder.items()},
                "standards": {name: table[at].tolist() for name, table in standards.items()},
            }
            for at, value in enumerate(values)
        }
    return groups


def _crossed(places: Any, rows: int, numbers: pl.Series, columns: int) -> Any:
    """How often each number stands at each place: an array of ``rows`` × ``columns``."""
    flat = places * columns + numbers.to_numpy()
    return np.bincount(flat, minlength=rows * columns).reshape(rows, columns)


def _dimensions(firms: pl.DataFrame, judged: pl.DataFrame) -> dict[str, Any]:
    """A label for every firm in each dimension; blank is ``""``."""
    sections = industries().sections
    letters = np.array([sections.get(f"{number:02d}", "") for number in range(100)])
    divisions = (firms["industry"] // 1000).fill_null(0).to_numpy()
    known = firms["industry"].is_not_null().to_numpy()
    found = {
        "all": np.full(firms.height, ""),
        "district": firms["district"].fill_null("").to_numpy().astype(str),
        "industry": np.where(known, letters[divisions], ""),
    }
    if SIZE in judged.columns:
        found["size"] = np.array(CLASS_WORDS)[judged[SIZE].to_numpy()]
    return found


class _Missing:
    """Which figures of a part's firms are blank, column by column, worked out once."""

    def __init__(self, firms: pl.DataFrame) -> None:
        self._firms = firms
        self._known: dict[str, Any] = {}

    def __call__(self, column: str) -> Any:
        if column not in self._known:
            held = column in self._firms.columns
            blank = self._firms[column].is_null().to_numpy() if held else np.ones(self._firms.height, bool)
            self._known[column] = blank
        return self._known[column]


class _Against:
    """What stands against the firms that do not meet one standard."""

    def __init__(self, compiled: Compiled, judged: pl.DataFrame) -> None:
        pack_id, is_class = compiled.pack.id, compiled.pack.size_table is not None
        self._term_ids = compiled.term_ids
        verdict, unmet, still_open = (
            judged[name].to_numpy() for name in (pack_id, f"{pack_id}.unmet", f"{pack_id}.open")
        )
        self._unknown = verdict == (len(CLASS_WORDS) - 1 if is_class else int(Verdict.UNKNOWN))
        if is_class:
            self._unmet, self._open = np.zeros_like(unmet), np.where(self._unknown, still_open, 0)
        else:
            # A condition that is unmet decides only where the standard is: elsewhere another route stands in.
            self._unmet = np.where(verdict == int(Verdict.UNMET), unmet, 0)
            self._open = np.where(verdict != int(Verdict.MET), still_open, 0)
        both = self._unmet | self._open
        self._alone = np.where((both != 0) & (both & (both - 1) == 0), both, 0)

    def conditions(self) -> dict[str, list[int]]:
        found = {}
        for bit, name in enumerate(self._term_ids):
            counts = [
                int(np.count_nonzero(mask >> bit & 1)) for mask in (self._unmet, self._open, self._alone)
            ]
            if any(counts):
                found[name] = counts
        return found

    def blanks(self, reads: Sequence[Sequence[str]], missing: _Missing) -> dict[str, int]:
        """Of firms that lack one condition's figures only: those that lack one figure of it only."""
        found: dict[str, int] = {}
        waiting = np.where(self._unknown, self._alone & self._open, 0)
        for bit, columns in enumerate(reads):
            rows = np.flatnonzero(waiting >> bit & 1)
            if not rows.size or not columns:
                continue
            blank = np.array([missing(column)[rows] for column in columns])
            single = blank[:, blank.sum(axis=0) == 1].sum(axis=1)
            for column, count in zip(columns, single.tolist(), strict=True):
                if count:
                    found[column] = found.get(column, 0) + count
        return found


def _plan(judged: pl.DataFrame) -> Counts:
    counted: Counts = {}
    for row in count_targets(plan(), judged).iter_rows(named=True):
        counted.setdefault(row["target"], {})[row["district"]] = [row[name] for name in COUNTS]
    return counted
