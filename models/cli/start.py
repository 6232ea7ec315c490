"""Where the ``tidui`` script begins: settings that must stand before the libraries load."""

from __future__ import annotations

import os
import sys

SETTINGS = {
    # On two busy cores the default makes numeric libraries spin.
    "OMP_NUM_THREADS": "1",
    # One arena: pieces of a table are freed by another thread than made them (docs/measured.md).
    "_RJEM_MALLOC_CONF": "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:1000",
}
"""What a user has set in the environment wins."""
WORKER_SETTINGS = {
    # A worker has as many processes as the machine has cores, and each of them one thread.
    "POLARS_MAX_THREADS": "1",
}


def main() -> None:
    settings = SETTINGS | WORKER_SETTINGS if sys.argv[1:2] == ["worker"] else SETTINGS
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    from models.cli.commands import main as run  # noqa: PLC0415  (polars reads the settings when it loads)

    run()
