"""The table of the scoring work, as ratios within one run.

    python -m benchmarks.score [--firms 1000000] [--no-ten]

Makes synthetic firms in a temporary folder (about 6 GB with ten million), measures, prints, removes.
Commands are measured as a user sees them: a process from start to exit.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl

from benchmarks.measure import ROOT, Run, in_turn, python, run, tidui
from benchmarks.srdi_by_hand import srdi_n63
from models.rules.compile import compile_standards
from models.rules.explain import Explainer
from models.rules.quantity import Period
from models.rules.rulebook import rulebook
from models.rules.table import assess
from models.tabular.issues import IssueLog
from models.tabular.reader import open_table

AS_OF = date(2026, 6, 30)
DAY = ("--as-of", AS_OF.isoformat())
TIMES = 3


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--firms", type=int, default=1_000_000)
    options.add_argument("--no-ten", action="store_true", help="leave out the run over ten times as many")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidui-bench-") as folder:
        bench = _Bench(Path(folder), given.firms)
        bench.million()
        bench.by_hand()
        bench.one_firm()
        if not given.no_ten:
            bench.ten()


class _Bench:
    def __init__(self, folder: Path, firms: int) -> None:
        self.folder, self.firms = folder, firms
        self.parquet, self.csv = folder / "firms.parquet", folder / "firms.csv"
        self.result = folder / "result.parquet"
        self.standards = compile_standards(rulebook(), Period(AS_OF, "new"))
        made = run(tidui("synth", "-n", str(firms), "-o", str(self.parquet), *DAY))
        _say(f"write {firms:,} synthetic firms to Parquet", f"{made.seconds:.1f} s", made, "well under 60 s")
        run(
            python(
                "-c", f"import polars; polars.scan_parquet({str(self.parquet)!r}).sink_csv({str(self.csv)!r})"
            )
        )
        present = set(pl.scan_parquet(self.parquet).collect_schema().names())
        self.columns = ["uscc", "name", *sorted(self.standards.inputs() & present)]

    def million(self) -> None:
        score = tidui("score", str(self.parquet), "-o", str(self.result), *DAY)
        run(score)  # the bare copy writes the same result
        scored, bare = in_turn(score, self._bare(self.parquet, sink=True), times=TIMES)
        self.once = scored
        _ratio("score Parquet → Parquet ÷ polars scan + sink", scored, bare, "≤ 1.6")
        from_csv, sunk, scanned = in_turn(
            tidui("score", str(self.csv), "-o", str(self.folder / "csv.parquet"), *DAY),
            self._bare(self.csv, sink=True),
            self._bare(self.csv, sink=False),
            times=TIMES,
        )
        _ratio("score CSV ÷ polars CSV scan + sink", from_csv, sunk, "≤ 2")
        _ratio("score CSV ÷ polars CSV scan alone", from_csv, scanned, "(stricter reading of ≤ 2)")
        _say("peak memory, Parquet in", f"{scored.gigabytes:.2f} GB", scored, "≤ 1.2 GB")
        _say("peak memory, CSV in", f"{from_csv.gigabytes:.2f} GB", from_csv, "≤ 1.2 GB")

    def _bare(self, source: Path, *, sink: bool) -> list[str]:
        out = [str(self.result), str(self.folder / "bare.parquet")] if sink else []
        return python("-m", "benchmarks.bare", str(source), ",".join(self.columns), *out)

    def ten(self) -> None:
        many, result = self.folder / "many.parquet", self.folder / "many_result.parquet"
        run(tidui("synth", "-n", str(self.firms * 10), "-o", str(many), *DAY))
        scored = run(tidui("score", str(many), "-o", str(result), *DAY))
        _ratio(f"time at {self.firms * 10:,} ÷ at {self.firms:,}", scored, self.once, "≤ 11")
        _say("peak memory at ten times as many", f"{scored.gigabytes:.2f} GB", scored, "≤ 1.2 GB")

    def by_hand(self) -> None:
        """The table reader on one pack against polars by hand, from a canonical frame at rest."""
        one = compile_standards(rulebook(), Period(AS_OF, "new"), ["srdi.n63"])
        compiled = one.compiled["srdi.n63"]
        needed = sorted(one.program.inputs(compiled.shown_slots()))
        with open_table(self.parquet) as table:
            frame = pl.concat(table.batches(needed, IssueLog())).rechunk()
        names = ["srdi.n63", "srdi.n63.low", "srdi.n63.high", "srdi.n63.unmet", "srdi.n63.open"]
        ours, hand = (
            assess(frame.lazy(), one, needed).select("uscc", *names),
            srdi_n63(frame.lazy(), AS_OF.year - 1),
        )
        left, right = ours.collect(engine="streaming"), hand.collect(engine="streaming")
        right = right.rename(dict(zip(right.columns, left.columns, strict=True)))
        if not left.equals(right.cast(left.schema)):
            raise SystemExit("srdi.n63: the table reader and the version by hand differ")
        speed = _best(lambda: hand.collect(engine="streaming")) / _best(
            lambda: ours.collect(engine="streaming")
        )
        print(f"{'speed of srdi.n63 ÷ the same by hand in polars':58} {speed:8.2f}   target ≥ 0.8")

    def one_firm(self) -> None:
        with open_table(ROOT / "seeds" / "demo" / "firms.csv") as table:
            firms = [firm for part in ("00001", "00002", "00003") for firm in table.firms(part)]
        explainer = Explainer(self.standards)
        times = []
        for firm in firms * 20:
            started = time.perf_counter()
            explainer.explain(firm)
            times.append(time.perf_counter() - started)
        median = statistics.median(times) * 1e3
        print(f"{'one firm, every standard, full explanation, warm':58} {median:5.2f} ms   target ≤ 0.6 ms")
        command = tidui(
            "explain", str(ROOT / "seeds" / "demo" / "firms.csv"), firms[0]["uscc"], *DAY, "--json"
        )
        cold = run([*command], TIMES)
        _say("tidui explain, cold", f"{cold.seconds:.2f} s", cold, "≤ 1.5 s")


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _ratio(what: str, ours: Run, theirs: Run, target: str) -> None:
    shown = f"{ours.seconds / theirs.seconds:.2f}"
    print(
        f"{what:58} {shown:>8}   target {target}   ({ours.seconds:.2f} s ÷ {theirs.seconds:.2f} s)",
        flush=True,
    )


def _say(what: str, value: str, measured: Run, target: str) -> None:
    print(f"{what:58} {value:>8}   target {target}", flush=True)


if __name__ == "__main__":
    main()
