"""Where the ``tidui`` script begins: settings that must stand before the libraries load."""

from __future__ import annotations

import os

SETTINGS = {
    # On two busy cores the default makes numeric libraries spin.
    "OMP_NUM_THREADS": "1",
    # One arena: pieces of a table are freed by another thread than made them (docs/measured.md).
    "_RJEM_MALLOC_CONF": "narenas:1,dirty_decay_ms:5000,muzzy_decay_ms:5000",
}
"""What a user has set in the environment wins."""


def main() -> None:
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    from models.cli.commands import main as run  # noqa: PLC0415  (polars reads the settings when it loads)

    run()
