"""A registry, a store, and what an uploader does with a file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import update

from models.registry.audit import Actor
from models.registry.database import Database
from models.registry.importing import Imported, import_file
from models.registry.job_tables import upload
from models.settings import Settings
from models.store import store_of
from models.uploads.check import check_next
from models.uploads.confirm import confirm, import_next
from models.uploads.mapping import complaints, map_columns
from models.uploads.receive import incoming, keep
from models.uploads.rows import Mode, Upload, errors_key, find_upload
from tests.registry.conftest import JUNE, NOW

UPLOADER = Actor("key:uploader", "key", "test", "测试")


@dataclass
class Desk:
    """What one does with uploads, without HTTP and queue."""

    database: Database
    settings: Settings

    def bring(
        self, content: bytes | Path | str, name: str = "名册.csv", *, owner: str = "key:uploader",
        dated: date = JUNE, at: Any = NOW,
    ) -> Upload:  # fmt: skip
        if isinstance(content, Path):
            name, content = content.name, content.read_bytes()
        body = content.encode() if isinstance(content, str) else content
        with incoming(self.settings) as part:
            for start in range(0, len(body), 1 << 16):
                part.write(body[start : start + (1 << 16)])
            return keep(
                self.database,
                self.settings,
                part,
                owner=owner,
                name=name,
                dated=dated,
                actor=UPLOADER,
                now=at,
            ).upload

    def check(self, content: bytes | Path | str, name: str = "名册.csv", **options: Any) -> Upload:
        one = self.bring(content, name, **options)
        if one.status == "queued":
            check_next(self.database, self.settings)
        return self.find(one.id)

    def map(self, one: Upload, given: Mapping[str, Any]) -> Upload:
        assert not complaints(given)
        map_columns(self.database, self.settings, one.id, given, owner=one.owner, actor=UPLOADER, now=NOW)
        check_next(self.database, self.settings)
        return self.find(one.id)

    def confirm(self, one: Upload, mode: Mode = "good_rows") -> Upload:
        confirm(self.database, one.id, mode, owner=one.owner, actor=UPLOADER, now=NOW)
        import_next(self.database, self.settings, lambda: NOW)
        return self.find(one.id)

    def find(self, upload_id: str) -> Upload:
        with self.database.read() as connection:
            return find_upload(connection, upload_id)

    def errors(self, one: Upload) -> Any:
        """The error workbook, open."""
        path = store_of(self.settings).fetch(errors_key(one.id))
        return openpyxl.load_workbook(io.BytesIO(path.read_bytes()))

    def imported(self, path: Path, dated: date = JUNE) -> Imported:
        return import_file(self.database, self.settings, path, dated=dated, actor=UPLOADER, now=NOW)

    def set(self, one: Upload, **values: Any) -> None:
        """As another process might have left it."""
        with self.database.write() as connection:
            connection.execute(update(upload).where(upload.c.id == one.id).values(**values))


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    return Desk(database, Settings(data=tmp_path / "data", database_url=database.url, redis_url=None))
