"""Many at once against the real server with two processes, both databases; an import killed under it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import func, select

from models.registry.audit import verify
from models.registry.database import Database
from models.registry.keys import create
from models.registry.migrate import upgrade
from models.registry.secrets import pepper
from models.registry.tables import correction, programme_check
from models.settings import Settings
from tests.e2e.served import TIDUI, Answer, Served, serve
from tests.firms import meeting
from tests.registry.importer import LAST
from tests.service.little_registry import IMPORTER, bring_in, code
from tests.services import postgres_database, postgres_url

FIRM, OTHER = code(1), code(2)
PATH = f"/v1/firms/{FIRM}"
WRITERS = 64
ROOMY = "1000000 per minute"
Got = TypeVar("Got")


@dataclass
class House:
    """A served registry, its database and a key for it."""

    served: Served
    database: Database
    settings: Settings
    key: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.served.call(method, path, body, {"Authorization": f"Bearer {self.key}", **named})


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data = tmp_path_factory.mktemp("many") / "data"
    with ExitStack() as stack:
        url = f"sqlite:///{data}/tidui.sqlite"
        if request.param == "postgresql":
            template = request.getfixturevalue("postgres_template")
            url = postgres_url(stack.enter_context(postgres_database(template)))
        database, settings = Database(url), Settings(data=data, database_url=url, redis_url=None)
        stack.callback(database.close)
        upgrade(database)
        good = {"name": "上海甲精密机械有限公司", **meeting("voucher.growth")}
        bring_in(
            database,
            settings,
            {FIRM: good, OTHER: {**good, "name": "上海乙仪表有限公司"}},
            dated=date(2025, 6, 1),
        )
        limits = {f"TIDUI_{kind}_LIMIT": ROOMY for kind in ("LOOKUP", "CHECK", "WRITE")}
        served = stack.enter_context(serve(data, "--workers", "2", TIDUI_DATABASE_URL=url, **limits))
        yield House(served, database, settings, _key(database, settings))


def _key(database: Database, settings: Settings) -> str:
    with database.write() as connection:
        scopes = ["lookup", "assess", "write", "programme"]
        now = datetime.now(UTC)
        return create(
            connection, pepper(settings), label="test", scopes=scopes, actor=IMPORTER, now=now
        ).token


def at_once(number: int, work: Callable[[int], Got]) -> list[Got]:
    """What each of so many threads, begun together, brought back."""
    gate = threading.Barrier(number)

    def one(place: int) -> Got:
        gate.wait()
        return work(place)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def figure(house: House, column: str) -> tuple[Any, int]:
    told = house.call("GET", PATH).json
    value = next((fact["value"] for fact in told["facts"] if fact["column"] == column), None)
    return value, told["version"]


def test_of_64_writers_one_wins_each_version_and_no_change_is_lost(house: House) -> None:
    for _ in range(3):
        tag, version = house.call("GET", PATH).headers["ETag"], figure(house, "ip_class1")[1]

        def write(number: int, tag: str = tag) -> tuple[int, int]:
            change = {"changes": {"ip_class1": number}, "reason": "企业来函更正"}
            return house.call("PATCH", f"{PATH}/facts", change, If_Match=tag).status, number

        outcomes = at_once(WRITERS, write)
        assert Counter(status for status, _ in outcomes) == {200: 1, 412: WRITERS - 1}
        winner = next(number for status, number in outcomes if status == 200)
        assert figure(house, "ip_class1") == (winner, version + 1)


def test_64_writers_who_read_again_after_412_all_get_through_once(house: House) -> None:
    """Each adds one to what it read: were any change lost, the sum would be short."""
    start = {"changes": {"ip_class2": 0}, "reason": "企业来函更正"}
    first = house.call("PATCH", f"{PATH}/facts", start, If_Match=house.call("GET", PATH).headers["ETag"])
    version, each = first.json["version"], threading.Lock()

    def add_one(_: int) -> None:
        while True:
            with each:  # readers take turns, writers do not: else the 64 would refuse each other for minutes
                read = house.call("GET", PATH)
            value = next(fact["value"] for fact in read.json["facts"] if fact["column"] == "ip_class2")
            change = {"changes": {"ip_class2": value + 1}, "reason": "企业来函更正"}
            done = house.call("PATCH", f"{PATH}/facts", change, If_Match=read.headers["ETag"])
            if done.status == 200:
                return
            assert done.status == 412

    at_once(WRITERS, add_one)
    assert figure(house, "ip_class2") == (WRITERS, version + WRITERS)
    with house.database.read() as connection:
        rows = select(func.count()).where(correction.c.uscc == FIRM, correction.c.column == "ip_class2")
        assert connection.execute(rows).scalar_one() == WRITERS + 1
        assert verify(connection).sound


def test_one_idempotency_key_from_many_at_once_decides_once(house: House) -> None:
    order = {"as_of": "2025-06-30", "purpose": "成长券预核", "firms": [FIRM, OTHER]}
    path = "/v1/programmes/voucher.growth/checks"
    answers = at_once(16, lambda _: house.call("POST", path, order, Idempotency_Key="once"))
    assert {answer.status for answer in answers} <= {201, 409}
    assert all(answer.json["code"] == "I409" for answer in answers if answer.status == 409)
    again = house.call("POST", path, order, Idempotency_Key="once")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert {answer.body for answer in (*answers, again) if answer.status == 201} == {again.body}
    with house.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(programme_check)).scalar_one() == 2


def test_an_import_killed_under_the_server_is_never_seen_and_can_be_repeated(
    house: House, tmp_path: Path
) -> None:
    before = house.call("GET", PATH)
    new = code(77)
    file = tmp_path / "later.csv"
    file.write_text(f"uscc,name\n{new},上海新铺七七号商行\n{FIRM},上海改名有限公司\n", encoding="utf-8")
    arguments = (house.database.url, str(house.settings.data), str(file), "2026-06-30", LAST)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.registry.importer", *arguments],
        cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline().strip() == LAST  # all is done but the commit
        assert house.call("GET", f"/v1/firms/{new}").status == 404  # the server answers meanwhile
        child.send_signal(signal.SIGKILL)
    after = house.call("GET", PATH)
    assert (after.body, after.headers["ETag"]) == (before.body, before.headers["ETag"])
    assert house.call("GET", "/readyz").json["parts"]["edition"]["hash"] == before.json["edition"]

    environment = {"TIDUI_DATA": str(house.settings.data), "TIDUI_DATABASE_URL": house.database.url}
    subprocess.run(
        [str(TIDUI), "registry", "import", str(file), "--dated", "2026-06-30"],
        env={"PATH": "/usr/bin:/bin", **environment}, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert house.call("GET", f"/v1/firms/{new}").json["name"] == "上海新铺七七号商行"
    assert house.call("GET", PATH).json["name"] == "上海改名有限公司"
