"""The whole table of the registry and its API: import, API, search, on PostgreSQL and SQLite.

``python -m benchmarks.service [--firms 1000000]``; half an hour and 12 GB of disk with a million firms. Needs
wrk and a PostgreSQL (TIDUI_TEST_POSTGRES), where nothing is left behind. The search is measured on the 20,000
real names, if that list lies beside the repository.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import ROOT
from benchmarks.registry_import import drop_database
from benchmarks.search_registry import LIST
from tests.services import postgres_database, postgres_url


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--firms", type=int, default=1_000_000)
    firms = str(options.parse_args().firms)
    with tempfile.TemporaryDirectory(prefix="tidui-bench-") as folder:
        try:
            _run("registry_import", "--firms", firms, "--keep", folder)
            _run("api", "--kept", folder)
        finally:
            drop_database()
        if not LIST.exists():
            print(f"search: not measured, there is no {LIST.name}")
            return
        _run("search", "quality", "--url", f"sqlite:///{Path(folder) / 'names.sqlite'}")
        _run("search", "speed", "--firms", firms, "--url", f"sqlite:///{Path(folder) / 'search.sqlite'}")
        with postgres_database() as name:
            _run("search", "speed", "--firms", firms, "--url", postgres_url(name))


def _run(benchmark: str, *arguments: str) -> None:
    """In a process of its own, as each is started by hand."""
    print(f"— {benchmark} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{benchmark}", *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
