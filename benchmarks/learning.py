"""The table of learning, as ratios within one run.

    python -m benchmarks.learning [--firms 1000000]

Makes synthetic firms in a temporary folder, measures, prints, removes. Commands are measured as a user sees
them.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

from benchmarks.measure import in_turn, run, tidui
from models.figures import read_figures
from models.learn.outlook import Outlooks
from models.learn.store import load_all
from models.rules.rulebook import rulebook
from models.seeds import seed

AS_OF = date(2026, 6, 30)
DAY = ("--as-of", AS_OF.isoformat())
SHIPPED = seed("learning", "models")
TIMES = 3


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--firms", type=int, default=1_000_000)
    given = options.parse_args()
    _one_firm()
    with tempfile.TemporaryDirectory(prefix="tidui-bench-") as folder:
        _scoring(Path(folder), given.firms)
        _training(Path(folder), given.firms)


def _one_firm() -> None:
    outlooks = Outlooks(load_all(SHIPPED), rulebook())
    with seed("demo", "firms.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))[:500]
    firms = [read_figures({key: cell for key, cell in row.items() if cell}).figures for row in rows]
    times = []
    for figures in firms:
        begun = time.perf_counter()
        outlooks.of_firm(figures, AS_OF)
        times.append(time.perf_counter() - begun)
    _say("one firm, four tasks with factors, warm", f"{1000 * statistics.median(times):.2f} ms", "≤ 20 ms")


def _scoring(folder: Path, firms: int) -> None:
    source = folder / "firms.parquet"
    run(tidui("synth", "-n", str(firms), "-o", str(source), *DAY))
    scored, predicted = in_turn(
        tidui("score", str(source), "-o", str(folder / "a.parquet"), *DAY),
        tidui("predict", str(SHIPPED), str(source), "-o", str(folder / "b.parquet")),
        times=TIMES,
    )
    ratio = predicted.seconds / scored.seconds
    _say(
        f"predict {firms:,} firms, four tasks ÷ tidui score",
        f"{ratio:.2f}",
        f"≤ 1.5   ({predicted.seconds:.1f} s ÷ {scored.seconds:.1f} s, {predicted.gigabytes:.2f} GB)",
    )


def _training(folder: Path, firms: int) -> None:
    """A million firm-years: a third as many firms, of each about three outcome years."""
    source = folder / "history.parquet"
    run(tidui("synth", "-n", str(firms * 2 // 3), "-o", str(source), *DAY))
    for task in ("above_scale", "gazelle"):
        done = run(
            tidui("train", str(source), "--task", task, "--until", "2025", "-o", str(folder / task), "--json")
        )
        _say(
            f"train {task} on about {firms:,} firm-years",
            f"{done.seconds:.0f} s",
            f"≤ 300 s   ({done.gigabytes:.1f} GB)",
        )


def _say(what: str, got: str, target: str) -> None:
    print(f"{what:60} {got:>10}   target {target}", flush=True)


if __name__ == "__main__":
    main()
