"""A registry of a few firms, imported as a file would be."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from models.figures import external
from models.registry.audit import Actor
from models.registry.database import Database
from models.registry.importing import Imported, import_file
from models.rules.rulebook import rulebook
from models.settings import Settings
from models.tabular.cells import check_character

IMPORTER = Actor("cli:test", "operator", "test")
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def code(number: int) -> str:
    """A faultless code; every number has its own."""
    body = f"91310115MA{number:07d}"
    return body + check_character(body + "0")


def bring_in(
    database: Database,
    settings: Settings,
    firms: Mapping[str, Mapping[str, Any]],
    *,
    dated: date,
    name: str = "名册",
) -> Imported:
    """Import firms (code → canonical figures as held inside, and ``name``) as one CSV file."""
    columns = sorted({column for firm in firms.values() for column in firm})
    settings.data.mkdir(parents=True, exist_ok=True)
    path = settings.data / f"{name}-{uuid.uuid4().hex[:6]}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["uscc", *columns])
        for uscc, firm in firms.items():
            writer.writerow([uscc, *(_written(column, firm.get(column)) for column in columns)])
    return import_file(database, settings, path, dated=dated, actor=IMPORTER, now=NOW, book=rulebook())


def _written(column: str, value: Any) -> Any:
    if value is None:
        return ""
    return value if column == "name" else external(column, value)


SONG, TWIN, OTHER_TWIN = code(1), code(2), code(3)


def bring_in_namesakes(database: Database, settings: Settings, **song: Any) -> None:
    """A firm of 徐汇区, with more said of it by ``song``, and two of one name in other districts."""
    firms: dict[str, dict[str, Any]] = {
        SONG: {"name": "上海警松建设工程有限公司", "district": "310104", **song},
        TWIN: {"name": "上海上诚贸易有限公司", "district": "310105"},
        OTHER_TWIN: {"name": "上海上诚贸易有限公司", "district": "310120"},
    }
    bring_in(database, settings, firms, dated=date(2026, 5, 1))
