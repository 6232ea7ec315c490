"""Where the ``tidui`` script begins: settings that must stand before the libraries load."""

from __future__ import annotations

import os

ALLOCATOR = "dirty_decay_ms:10000,muzzy_decay_ms:10000"
"""Freed pages are kept for the next piece of the table: with the default a run spent a third of its
time giving memory back to the system and asking for it again (docs/measured.md)."""


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("_RJEM_MALLOC_CONF", ALLOCATOR)
    from models.cli.commands import main as run  # noqa: PLC0415  (polars reads the settings when it loads)

    run()
