"""What the models say of the firms of a part: estimates beside the rules' verdicts, and whom to call.

A run is pinned to the models that were released when it began. One that cannot be read any more says nothing;
the rules judge all the same, and the summary names it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import Connection

from models.fields import NO_TITLE
from models.kept import Kept
from models.learn.columns import Columns, columns_of_frame
from models.learn.drift import tally
from models.learn.outlook import REASON_CODES, Outlooks, Scores, told
from models.learn.prospects import listings
from models.learn.strongest import factors_of
from models.registry.learned import pinned
from models.reviews.finding import Opinions
from models.rules.quantity import Period
from models.rules.rulebook import Rulebook
from models.runs.record import Run, run_folder
from models.store import Store
from models.tabular.coded import Coded
from models.tabular.output import atomic_output
from models.tabular.resultfile import open_result

PROSPECT = ("task", "uscc", "district", "score", "band", "rival", "verdict", "factors")
DIGITS = 6
"""Of a chance in a file, as ``tidui predict`` writes it."""
Counts = dict[str, Any]


@dataclass(frozen=True)
class Estimates:
    """Of one part. ``told``: a row a firm; ``prospects``: rows of :data:`PROSPECT`; ``counts`` add up."""

    told: pl.DataFrame
    prospects: pl.DataFrame
    counts: Counts
    scores: Mapping[str, Scores]


class Estimating:
    """Estimates the firms of runs by the same models, rulebook and date."""

    def __init__(self, outlooks: Outlooks, book: Rulebook, period: Period, refused: Collection[str]) -> None:
        self._outlooks, self._as_of, self._refused = outlooks, period.as_of, refused
        self._listings = {
            task: (listing, listing.pack_of(book, period))
            for task, listing in listings().tasks.items()
            if task in outlooks.models
        }
        holders = {listing.holders for listing, _ in self._listings.values() if listing.holders}
        self.columns = (outlooks.inputs(self._as_of) if outlooks.models else frozenset()) | holders
        """Canonical columns that are read, where the registry has them."""

    def __call__(self, firms: pl.DataFrame, judged: pl.DataFrame) -> Estimates:
        """``judged``: what the rules made of ``firms``, row by row."""
        columns = columns_of_frame(firms, self._as_of.year)
        scores = {scorer.model.task.id: scorer.of_frame(firms, columns) for scorer in self._outlooks.scorers}
        listed = [self._listed(task, found, columns, firms, judged) for task, found in scores.items()]
        counts = {task: self._counts(task, found) for task, found in scores.items()}
        counts |= {task: {"refused": firms.height} for task in self._refused}
        beside = firms.select("uscc", "district").hstack(told(scores).get_columns())
        return Estimates(beside, pl.concat(listed) if listed else pl.DataFrame(), counts, scores)

    def opinions(self, estimates: Estimates, judged: pl.DataFrame) -> Opinions:
        """What rules and models say of the same firms, task by task where there is a standard."""
        return Opinions(
            {
                task: (pack_id, judged[pack_id], estimates.scores[task])
                for task, (_, pack_id) in self._listings.items()
                if pack_id is not None and pack_id in judged.columns
            }
        )

    def _counts(self, task: str, found: Scores) -> Counts:
        without = np.bincount(found.why, minlength=len(REASON_CODES))[1:]
        return {
            "abstained": {str(code): int(n) for code, n in zip(REASON_CODES[1:], without, strict=True) if n},
            "tally": tally(self._outlooks.models[task], found).as_dict(),
        }

    def _listed(
        self, task: str, found: Scores, columns: Columns, firms: pl.DataFrame, judged: pl.DataFrame
    ) -> pl.DataFrame:
        """The firms worth a call: estimated high enough, not holders already."""
        listing, pack_id = self._listings[task]
        rows = np.flatnonzero(found.estimated)
        wanted = np.asarray(found.band) <= listings().last_band
        if listing.holders is not None and listing.holders in firms.columns:
            until = firms[listing.holders]
            holds = ((until >= self._as_of) & (until != NO_TITLE)).fill_null(False).to_numpy()
            wanted &= ~holds[rows]
        chosen = np.flatnonzero(wanted)
        place = pl.Series(rows[chosen].astype(np.uint32))
        verdict = pl.Series([None] * len(chosen), dtype=pl.Int16)
        if pack_id is not None and pack_id in judged.columns:
            verdict = judged[pack_id].gather(place).cast(pl.Int16)
        return pl.DataFrame(
            {
                "task": pl.Series([task], dtype=pl.String).new_from_index(0, len(chosen)),
                "uscc": firms["uscc"].gather(place),
                "district": firms["district"].gather(place),
                "score": pl.Series(np.asarray(found.score)[chosen], dtype=pl.Float64),
                "band": pl.Series(np.asarray(found.band)[chosen], dtype=pl.Int16),
                "rival": pl.Series(np.asarray(found.rival)[chosen], dtype=pl.Float64),
                "verdict": verdict,
                "factors": pl.Series(
                    factors_of(self._outlooks.models[task], found, columns, chosen), dtype=pl.String
                ),
            }
        )


_KEPT: Kept[tuple[object, ...], Estimating] = Kept(2)


def estimating_of(connection: Connection, of: Run, book: Rulebook) -> Estimating | None:
    """By the models the run is pinned to; None where it estimates nothing."""
    if of.models is None:
        return None
    models = of.models

    def make() -> Estimating:
        found, refused = pinned(connection, models)
        return Estimating(Outlooks(found, book), book, Period(of.as_of, of.kind), refused)

    return _KEPT.get((of.rulebook_hash, of.as_of, of.kind, tuple(sorted(models.items()))), make)


def outlook_key(run_id: int, part: int) -> str:
    """Where the estimates of a part lie in the store."""
    return f"{run_folder(run_id)}/outlook-{part:04d}.parquet"


def store_estimates(store: Store, key: str, estimates: Estimates) -> None:
    """``uscc``, ``district`` and per task ``.score .reason .band .rival``, a row a firm."""
    rounded = estimates.told.with_columns(pl.selectors.float().round(DIGITS))
    words = rounded.select(pl.selectors.string().exclude("uscc")).columns
    block = {column.name: Coded.of(column) if column.name in words else column for column in rounded}
    with tempfile.TemporaryDirectory(prefix="tidui-outlook-") as folder:
        local = Path(folder) / "part.parquet"
        with atomic_output(local) as writing, open_result(writing) as file:
            file.write(block)
        store.put(local, key)
