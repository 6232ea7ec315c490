"""Little registries to test with."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, func, select

from models.registry.activating import Activated, activate
from models.registry.audit import Actor
from models.registry.corrections import correct
from models.registry.database import Database
from models.registry.facts import FirmFacts, firm_facts
from models.registry.importing import Imported, import_file
from models.registry.listing import find_edition
from models.registry.state import State, read_state
from models.registry.titles import ListTaken, ListTerms, take_list
from models.settings import Settings
from models.tabular.cells import check_character

ACTOR = Actor("cli:test", "operator", "test", "测试")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
JUNE, SEPTEMBER, OCTOBER = date(2026, 6, 30), date(2026, 9, 30), date(2026, 10, 31)

Row = Mapping[str, Any]


def code(number: int) -> str:
    """A sound code of a firm in Pudong."""
    body = f"91310115MA{number:07d}"
    return body + check_character(body + "0")


A, B, C, D = (code(number) for number in range(1, 5))


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


@dataclass
class Shelf:
    """A registry, and what one does with it."""

    database: Database
    settings: Settings
    folder: Path

    def bring(self, rows: Sequence[Row], dated: date = JUNE, name: str = "firms.csv") -> Imported:
        return self.bring_file(write_rows(self.folder / name, rows), dated)

    def bring_file(self, path: Path, dated: date = JUNE) -> Imported:
        return import_file(self.database, self.settings, path, dated=dated, actor=ACTOR, now=NOW)

    def activate(self, number: int) -> Activated:
        with self.database.read() as connection:
            edition = find_edition(connection, str(number))
        return activate(self.database, self.settings, edition, actor=ACTOR, now=NOW)

    def correct(self, uscc: str, *, at: datetime = NOW, reason: str = "年报核实", **changes: Any) -> int:
        with self.database.write() as connection:
            state = read_state(connection)
            version = firm_facts(connection, state, [uscc])[uscc].version
            return correct(
                connection,
                state,
                uscc,
                changes,
                reason=reason,
                actor="user:li",
                now=at,
                expected_version=version,
            )

    def take(self, text: str, terms: ListTerms, name: str = "list.csv") -> ListTaken:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return self.take_file(path, terms)

    def take_file(self, path: Path, terms: ListTerms) -> ListTaken:
        return take_list(self.database, self.settings, path, terms, actor=ACTOR, now=NOW)

    @property
    def state(self) -> State:
        with self.database.read() as connection:
            return read_state(connection)

    def firm(self, uscc: str) -> FirmFacts:
        return self.firms([uscc])[uscc]

    def firms(self, usccs: Sequence[str], district: str | None = None) -> dict[str, FirmFacts]:
        with self.database.read() as connection:
            return firm_facts(connection, read_state(connection), usccs, district=district)

    def count(self, table: Table, *conditions: Any) -> int:
        with self.database.read() as connection:
            query = select(func.count()).select_from(table).where(*conditions)
            return int(connection.execute(query).scalar_one())


@pytest.fixture
def shelf(database: Database, tmp_path: Path) -> Shelf:
    """An empty registry on each database."""
    return Shelf(
        database, Settings(data=tmp_path / "data", database_url=database.url, redis_url=None), tmp_path
    )
