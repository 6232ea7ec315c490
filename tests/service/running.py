"""A little registry to judge over HTTP, and doing the work of runs as a worker would."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from models.registry.database import Database
from models.registry.job_tables import run_part
from models.runs.finish import finish_run
from models.runs.part import do_part
from models.runs.sweep import sweep
from models.settings import Settings
from tests.firms import meeting
from tests.service.conftest import Client, Clock, KeyMaker
from tests.service.little_registry import bring_in, code

ORDER = {"as_of": "2026-06-30", "standards": ["srdi.n2", "innovative.n63"]}
STRONG, WEAK, ELSEWHERE = code(1), code(2), code(3)


def work(database: Database, settings: Settings, now: datetime, *, most: int | None = None) -> None:
    """Do all parts that wait and the finishes they lead to; or ``most`` parts and no finish."""
    asked = select(run_part.c.run_id, run_part.c.part).where(run_part.c.status == "queued")
    with database.read() as connection:
        waiting = connection.execute(asked.order_by(run_part.c.run_id, run_part.c.part)).all()
    for run_id, part in waiting[:most]:
        do_part(database, settings, run_id, part)
    if most is None:
        for name, arguments in sweep(database, settings):
            if name == "run_finish":
                finish_run(database, settings, int(arguments[0]), now)


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    """Two firms of 徐汇区, one of them strong, and one of 浦东."""
    firms = {
        STRONG: {**meeting("srdi.n2"), "name": "上海甲精密机械有限公司", "district": "310104"},
        WEAK: {"name": "上海乙贸易有限公司", "district": "310104", "revenue_2025": 1_000_000},
        ELSEWHERE: {"name": "上海丙软件有限公司", "district": "310115", "revenue_2025": 90_000_000},
    }
    bring_in(database, settings, firms, dated=date(2026, 5, 1))


@pytest.fixture
def headers(key: KeyMaker) -> dict[str, str]:
    return key("run,lookup").headers


@pytest.fixture
def done(
    client: Client,
    headers: dict[str, str],
    registry: None,
    database: Database,
    settings: Settings,
    clock: Clock,
) -> int:
    """A run that has ended."""
    run_id = started(client, headers)
    work(database, settings, clock())
    return run_id


def started(client: Client, headers: dict[str, str], **changes: Any) -> int:
    response = client.post("/v1/runs", json={**ORDER, **changes}, headers=headers)
    assert response.status_code == 202, response.json
    assert response.headers["Location"] == f"/v1/runs/{response.json['id']}"
    return int(response.json["id"])


def told(response: Any) -> list[dict[str, str]]:
    """The events of a whole stream; a comment is ``{"comment": …}``."""
    found = []
    for block in response.get_data(as_text=True).strip().split("\n\n"):
        lines = (line.partition(": ") for line in block.split("\n"))
        found.append({name or "comment": value for name, _, value in lines})
    return found
