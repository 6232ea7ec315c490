"""What polars alone takes to scan the same columns and sink the same output. A process of its own.

python -m benchmarks.bare INPUT COLUMN,COLUMN… [RESULT SINK]
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl


def main(source: str, columns: str, result: str | None = None, sink: str | None = None) -> None:
    frame = pl.scan_parquet(source) if Path(source).suffix == ".parquet" else pl.scan_csv(source)
    frame.select(columns.split(",")).select(pl.all().null_count()).collect(engine="streaming")
    if result and sink:
        pl.scan_parquet(result).sink_parquet(sink, engine="streaming")


if __name__ == "__main__":
    main(*sys.argv[1:])
