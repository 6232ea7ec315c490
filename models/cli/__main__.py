"""``python -m models.cli``: the ``tidui`` command where its script is not on the path."""

from __future__ import annotations

from models.cli.start import main

main()
