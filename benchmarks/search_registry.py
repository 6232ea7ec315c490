"""A registry of a million firms for :mod:`benchmarks.search`, made of the 20,000 real names.

Places, brands, trades and forms are recombined, half of the brands character by character, so that names
collide as they do in a real registry; the real firms come first.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, text, update

from models.codes import districts, encode_industry, industries
from models.registry import tables
from models.registry.database import Database
from models.registry.migrate import upgrade
from models.registry.search.normal import form
from models.registry.search.write import NameEntry, stage_names

LIST = Path(__file__).resolve().parents[2] / "shared" / "data" / "shanghai_registry_20k.csv.gz"
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_MOMENT = datetime(2026, 6, 30, tzinfo=UTC)
_BATCH = 50_000
EDITION, RUN = 1, 1


@dataclass(frozen=True, slots=True)
class Firm:
    uscc: str
    name: str
    district: str | None
    industry: int


def real_firms(path: Path = LIST) -> list[Firm]:
    dice = random.Random(20)
    codes = [encode_industry(code) for code in industries().names if code.isdigit() and len(code) == 4]
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [
            Firm(
                row["统一社会信用代码"],
                row["企业名称"],
                districts().readings.get(row["所在区"]),
                dice.choice(codes),
            )
            for row in csv.DictReader(file)
        ]


def many_firms(real: Sequence[Firm], count: int, seed: int = 1) -> Iterator[Firm]:
    """The real firms, then made ones, ``count`` in all."""
    dice = random.Random(seed)
    parts = [_parts(firm.name) for firm in real]
    yield from real[:count]
    taken = {firm.uscc for firm in real}
    made = len(real)
    while made < count:
        place, brand, trade, ending = (dice.choice(parts)[which] for which in range(4))
        if dice.random() < 0.5:
            other = dice.choice(parts)[1]
            brand = brand[:1] + other[-1:] + (brand[2:] if dice.random() < 0.5 else "")
        like = dice.choice(real)
        code = _code(dice, like.district or "310115")
        if code not in taken:
            taken.add(code)
            made += 1
            yield Firm(code, place + brand + trade + ending, like.district, dice.choice(real).industry)


def _parts(name: str) -> tuple[str, str, str, str]:
    core = form(name).core
    place, found, ending = name.partition(core)
    if not found:
        return "上海", core[:2], core[2:], "有限公司"
    size = 2 if len(core) < 7 else 3
    return place, core[:size], core[size:], ending


def _code(dice: random.Random, district: str) -> str:
    body = f"91{district}" + "".join(dice.choices(_ALPHABET, k=9))
    total = sum(_ALPHABET.index(char) * pow(3, at, 31) for at, char in enumerate(body))
    return body + _ALPHABET[(31 - total % 31) % 31]


def fill(database: Database, firms: Sequence[Firm], *, standings: bool = True) -> None:
    """A migrated database with one edition of these firms, and a run that gives them rungs."""
    upgrade(database)
    with database.write() as connection:
        _edition(connection, len(firms))
    for at in range(0, len(firms), _BATCH):
        with database.write() as connection:
            _firms(connection, firms[at : at + _BATCH], standings)


def index(database: Database, firms: Sequence[Firm]) -> None:
    """Names as the importer stages them."""
    stage_names(database, EDITION, (NameEntry(firm.uscc, firm.name) for firm in firms))


def _edition(connection: Connection, count: int) -> None:
    connection.execute(
        insert(tables.edition).values(
            id=EDITION, hash="0" * 64, status="ready", source_name="bench.csv", source_hash="0" * 64,
            dated=date(2026, 6, 30), rows=count, firms=count, manifest="{}", imported_at=_MOMENT,
            imported_by="bench",
        )
    )  # fmt: skip
    connection.execute(
        insert(tables.run).values(
            id=RUN, edition_id=EDITION, as_of=date(2026, 6, 30), kind="new", rulebook_hash="0" * 64,
            plan_hash="0" * 64, status="succeeded", started_at=_MOMENT,
        )
    )  # fmt: skip
    connection.execute(update(tables.state).values(edition_id=EDITION, run_id=RUN, registry_version=1))


def _firms(connection: Connection, firms: Sequence[Firm], standings: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "uscc": f.uscc,
            "name": f.name,
            "district": f.district,
            "industry": f.industry,
            "edition_id": EDITION,
        }
        for f in firms
    ]
    connection.execute(insert(tables.firm), rows)
    if standings:
        rung = {f.uscc: min(int(random.Random(f.uscc).expovariate(1.2)), 6) for f in firms}
        connection.execute(
            insert(tables.standing),
            [
                {"run_id": RUN, "uscc": uscc, "recognised": at, "qualifies": at, "could_reach": at}
                for uscc, at in rung.items()
            ],
        )


def analyze(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("ANALYZE"))
