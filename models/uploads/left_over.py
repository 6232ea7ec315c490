"""What is being received or read lies in ``incoming``, held by a lock; what a killed process left can be told
by it: whoever gets the lock may clear it away, the copy in the store with it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select

from models.registry.database import Database
from models.registry.job_tables import upload
from models.settings import Settings
from models.store import store_of
from models.uploads.rows import folder_key


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the file that says that somebody is at work; taken anew if it was cleared away at that moment."""
    while True:
        file = path.open("w")
        fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
            break
        file.close()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()


@contextmanager
def scratch(settings: Settings) -> Iterator[Path]:
    """A folder to work in; gone at the end, and cleared away by another if this process is killed."""
    root = settings.data / "incoming"
    root.mkdir(parents=True, exist_ok=True)
    number = str(uuid.uuid4())
    with held(root / f"{number}.held"):
        folder = root / f"{number}.work"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def clear_left_over(database: Database, settings: Settings) -> int:
    """Remove what killed processes of this machine left half received or half read; how much that was."""
    cleared = 0
    for mark in sorted((settings.data / "incoming").glob("*.held")):
        with mark.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # its process lives
            _clear(database, settings, mark)
            cleared += 1
    return cleared


def _clear(database: Database, settings: Settings, mark: Path) -> None:
    with database.read() as connection:
        there = connection.execute(select(upload.c.id).where(upload.c.id == mark.stem)).first()
    if there is None:
        store_of(settings).delete(folder_key(mark.stem))
    mark.with_suffix(".part").unlink(missing_ok=True)
    shutil.rmtree(mark.with_suffix(".work"), ignore_errors=True)
    mark.unlink(missing_ok=True)
