"""An impact of two rulebooks against one ``tidui score`` of the same firms, as ratios within one run.

    python -m benchmarks.impact [--firms 1000000]

The second rulebook differs from the first in the file that all packs share, so that every standard is judged
under both. Commands are measured as a user sees them: a process from start to exit.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from benchmarks.measure import Run, run, tidui
from models.seeds import seed

DAY = ("--as-of", "2026-06-30")
TIMES = 3


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--firms", type=int, default=1_000_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidui-bench-") as name:
        folder = Path(name)
        firms = folder / "firms.parquet"
        run(tidui("synth", "-n", str(given.firms), "-o", str(firms), *DAY))
        score = run(tidui("score", str(firms), "-o", str(folder / "result.parquet"), *DAY), TIMES)
        books = run(
            tidui("impact", str(firms), "--rules-b", str(_other_rules(folder)), "--json", *DAY), TIMES
        )
        pair = run(tidui("impact", str(firms), "--pairs", "srdi.n63:srdi.n2", "--json", *DAY), TIMES)
        _say("tidui score", score, score, "")
        _say("tidui impact, two rulebooks, all standards", books, score, "≤ 2.2")
        _say("tidui impact, srdi.n63 against srdi.n2", pair, score, "")


def _other_rules(folder: Path) -> Path:
    root = folder / "rules"
    shutil.copytree(seed(), root)
    shared = root / "rules" / "shared.yaml"
    shared.write_text(f"{shared.read_text('utf-8')}\n# another rulebook\n", "utf-8")
    pack = root / "rules" / "srdi.n2.yaml"
    pack.write_text(pack.read_text("utf-8").replace("at_least: 1500万", "at_least: 1600万"), "utf-8")
    return root


def _say(what: str, took: Run, score: Run, target: str) -> None:
    ratio = f"{took.seconds / score.seconds:.2f} × score"
    print(f"{what:<46} {took.seconds:6.2f} s {took.gigabytes:5.2f} GB  {ratio}  {target}", flush=True)


if __name__ == "__main__":
    main()
