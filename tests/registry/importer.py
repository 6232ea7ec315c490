"""Another process that imports a file and stops at a given point until it is killed.

``python -m tests.registry.importer URL DATA FILE DATED POINT``: prints the point when it is there.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from models.registry.audit import Actor, Event
from models.registry.database import Database
from models.registry.importing import import_file
from models.settings import Settings
from tests.registry.conftest import NOW

LAST = "last"
"""Within the last transaction, when everything in it is done but the commit."""


def wait(point: str) -> None:
    print(point, flush=True)
    time.sleep(600)


@dataclass(frozen=True)
class Waiting(Actor):
    """Stops where the audit record is about to be written: the last thing in the last transaction."""

    def event(  # type: ignore[override]
        self, action: str, object: str, before: str | None = None, after: str | None = None, **details: Any
    ) -> Event:
        wait(LAST)
        return super().event(action, object, before, after, **details)


def main() -> None:
    url, data, file, dated, point = sys.argv[1:]
    settings = Settings(data=Path(data), database_url=url, redis_url=None)
    actor = (Waiting if point == LAST else Actor)("cli:other", "operator", "test", "测试")

    def progress(stage: str, rows: int) -> None:
        if stage == point:
            wait(point)

    import_file(
        Database(url), settings, Path(file), dated=date.fromisoformat(dated), actor=actor, now=NOW,
        progress=progress,
    )  # fmt: skip


if __name__ == "__main__":
    main()
