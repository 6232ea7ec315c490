"""A run over a million firms on PostgreSQL by real workers, beside ``tidui score`` of the same firms.

    python -m benchmarks.registry_import --only postgresql --keep FOLDER
    python -m benchmarks.runs --kept FOLDER [--database tidui_million] [--rounds 2]

Prints the ratios of issue 4: run ÷ score (target 6, aim 4), two worker processes ÷ one (target 1.6), how much
longer a look-up takes while a run is going (p95, target 3). A run writes results, standing, movements and
titles; the first compares with the import, the others with the run before. Needs PostgreSQL and Redis.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlparse

from sqlalchemy import select

from benchmarks.api import ACTOR, served
from benchmarks.measure import ROOT, run, tidui
from benchmarks.registry_import import DATABASE
from models.registry import keys
from models.registry.database import Database
from models.registry.secrets import pepper
from models.registry.tables import firm
from models.runs.begin import begin_run
from models.runs.progress import run_report
from models.runs.record import OPEN
from models.settings import Settings
from service.embedded import start as start_redis
from tests.services import postgres_url
from workers.queue import make_celery, send

AS_OF = date(2026, 6, 30)
WARM_SECONDS = 8.0
IDLE_SECONDS = 15.0
PAUSE_SECONDS = 0.02
"""Between two look-ups."""


def main() -> None:
    given = _arguments()
    settings = Settings(given.kept / "data_postgresql", postgres_url(given.database), None)
    server = start_redis(settings.data)
    database = Database(settings.database_url)
    environment = {
        **os.environ,
        "TIDUI_DATA": str(settings.data),
        "TIDUI_DATABASE_URL": settings.database_url,
        "TIDUI_REDIS_URL": server.url,
        "TIDUI_LOOKUP_LIMIT": "1000000 per minute",
        "OMP_NUM_THREADS": "1",
    }
    try:
        bench = _Bench(Settings(settings.data, settings.database_url, server.url), database, environment)
        _compare(bench, given.kept, given.rounds)
    finally:
        database.close()
        server.stop()


def _arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--kept", type=Path, required=True)
    options.add_argument("--database", default=DATABASE)
    options.add_argument("--rounds", type=int, default=2)
    return options.parse_args()


def _compare(bench: _Bench, kept: Path, rounds: int) -> None:
    source = max(kept.glob("firms_*[0-9].parquet"), key=lambda path: path.stat().st_size)
    output = kept / "scored.parquet"
    score = run(tidui("score", str(source), "-o", str(output), "--as-of", AS_OF.isoformat()), rounds)
    print(f"{'tidui score':44} {score.seconds:7.1f} s", flush=True)
    with bench.workers(2):
        two = [bench.run() for _ in range(rounds)]
        _say("run, 2 processes ÷ score", min(two) / score.seconds, "≤ 6 (aim 4)", two)
    with bench.workers(1):
        one = [bench.run() for _ in range(rounds)]
        _say("throughput, 2 processes ÷ 1", min(one) / min(two), "≥ 1.6", one)
    with served("service.wsgi:make_app()", 8766, bench.environment) as address, bench.workers(2):
        looking = _LookingUp(address, bench)
        idle = looking.p95(lambda: time.sleep(IDLE_SECONDS))
        busy = looking.p95(bench.run)
    _say("look-up p95, during a run ÷ idle", busy / idle, "≤ 3", [idle, busy])


def _say(what: str, ratio: float, target: str, seconds: list[float]) -> None:
    told = ", ".join(f"{one:.3g} s" for one in seconds)
    print(f"{what:44} {ratio:7.2f}   target {target}   ({told})", flush=True)


class _Bench:
    """A registry, and workers for it."""

    def __init__(self, settings: Settings, database: Database, environment: dict[str, str]) -> None:
        self.settings, self.database, self.environment = settings, database, environment

    @contextmanager
    def workers(self, processes: int) -> Iterator[None]:
        """A worker that has come up; idle but for its sweeps."""
        with subprocess.Popen(
            tidui("worker", "--processes", str(processes)), cwd=ROOT, env=self.environment,
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        ) as worker:  # fmt: skip
            try:
                time.sleep(WARM_SECONDS)
                yield
            finally:
                worker.send_signal(signal.SIGTERM)

    def run(self) -> float:
        """Seconds from asking for a run until it is the registry's standing."""
        began = time.perf_counter()
        begun = begin_run(self.database, self.settings, as_of=AS_OF, actor=ACTOR, now=datetime.now(UTC))
        with closing(make_celery(self.settings)) as celery:
            send(celery, "sweep")
        while (report := self._report(begun.run_id))["status"] in OPEN:
            time.sleep(0.1)
        seconds = time.perf_counter() - began
        assert report["status"] == "succeeded", report
        assert report["stood_at"], report
        return seconds

    def _report(self, run_id: int) -> dict[str, object]:
        with self.database.read() as connection:
            return run_report(connection, run_id, datetime.now(UTC))

    def key(self) -> str:
        with self.database.write() as connection:
            made = keys.create(
                connection, pepper(self.settings), label="benchmark", scopes=("lookup",), actor=ACTOR,
                now=datetime.now(UTC),
            )  # fmt: skip
        return made.token

    def codes(self, count: int) -> list[str]:
        with self.database.read() as connection:
            codes = list(connection.execute(select(firm.c.uscc).order_by(firm.c.uscc)).scalars())
        return random.Random(7).sample(codes, count)


class _LookingUp:
    """One caller who looks up one firm after the other, all over the registry."""

    def __init__(self, address: str, bench: _Bench) -> None:
        self._connection = http.client.HTTPConnection(urlparse(address).netloc)
        self._headers = {"Authorization": f"Bearer {bench.key()}", "X-Purpose": "benchmark"}
        self._codes = bench.codes(5000)
        self.p95(lambda: time.sleep(3))  # warm

    def p95(self, meanwhile: Callable[[], object]) -> float:
        """Seconds that 95 of 100 look-ups take at most while ``meanwhile`` goes on."""
        taken: list[float] = []
        ended = threading.Event()

        def ask() -> None:
            while not ended.is_set():
                code = self._codes[len(taken) % len(self._codes)]
                began = time.perf_counter()
                self._connection.request("GET", f"/v1/firms/{code}", headers=self._headers)
                answer = self._connection.getresponse()
                answer.read()
                assert answer.status == 200, answer.status
                taken.append(time.perf_counter() - began)
                time.sleep(PAUSE_SECONDS)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            meanwhile()
        finally:
            ended.set()
            asking.join()
        return statistics.quantiles(taken, n=20)[-1]


if __name__ == "__main__":
    main()
