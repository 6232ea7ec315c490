"""Requests a second of the API against a bare Flask endpoint under the same server, in one run.

    python -m benchmarks.api [--firms 100000] [--kept FOLDER] [--seconds 5] [--rounds 3]

SQLite and, where one answers, PostgreSQL. ``--kept``: the registries that ``benchmarks.registry_import``
left in its ``--keep`` folder, instead of new ones. Needs ``wrk`` on PATH (apt install wrk). The registry is
synthetic; limits are raised out of the way. Both servers stand side by side and are asked in turn; each ratio
is the median of its rounds, so that what else the machine does falls on both. Firms come from all over the
registry and are many, so that nothing is answered out of a cache.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median

from sqlalchemy import select

from benchmarks.measure import ROOT, tidui
from benchmarks.registry_import import DATABASE
from models.registry import keys
from models.registry.audit import Actor
from models.registry.database import Database
from models.registry.secrets import pepper
from models.registry.tables import firm
from models.settings import Settings
from service.embedded import start as start_redis
from tests.services import postgres_database, postgres_url

AS_OF = date(2026, 6, 30)
ASKED = 2000
CONNECTIONS = 8
ACTOR = Actor("benchmark", "operator", "benchmark", "benchmark")
REQUEST = """
local paths = {%s}
local tags = {%s}
local at = 0
request = function()
  at = at %% #paths + 1
  local headers = {["Authorization"] = "Bearer %s", ["X-Purpose"] = "benchmark"}
  if #tags > 0 then headers["If-None-Match"] = tags[at] end
  return wrk.format("GET", paths[at], headers)
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk says: requests a second, answers that were no 2xx or 3xx."""

    rate: float
    failed: int


def main() -> None:
    given = _arguments()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed: apt install wrk")
    if given.kept is not None:
        for name, settings in _kept(given.kept):
            _measure(name, settings, given)
        return
    with tempfile.TemporaryDirectory(prefix="tidui-bench-") as folder:
        source = Path(folder) / "firms.parquet"
        subprocess.run(
            [*tidui("synth", "-n", str(given.firms), "-o", str(source)), "--as-of", str(AS_OF)], check=True
        )
        for name, url in _databases(Path(folder)):
            with url as database_url:
                settings = Settings(Path(folder) / name, database_url, None)
                _fill(settings, source)
                _measure(name, settings, given)


def _arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--firms", type=int, default=100_000)
    options.add_argument("--kept", type=Path)
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--rounds", type=int, default=3)
    return options.parse_args()


def _kept(folder: Path) -> Iterator[tuple[str, Settings]]:
    data = folder / "data"
    if data.exists():
        yield "sqlite", Settings(data, f"sqlite:///{data / 'tidui.sqlite'}", None)
    data = folder / "data_postgresql"
    if data.exists():
        yield "postgresql", Settings(data, postgres_url(DATABASE), None)


def _databases(folder: Path) -> Iterator[tuple[str, AbstractContextManager[str]]]:
    yield "sqlite", _sqlite(folder)
    yield "postgresql", _postgresql()


@contextmanager
def _sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'sqlite' / 'tidui.sqlite'}"


@contextmanager
def _postgresql() -> Iterator[str]:
    with postgres_database() as name:
        yield postgres_url(name)


def _fill(settings: Settings, source: Path) -> None:
    settings.data.mkdir(parents=True, exist_ok=True)
    for command in (("migrate",), ("import", str(source), "--dated", str(AS_OF))):
        subprocess.run(
            tidui("registry", *command), env=_environment(settings, None), check=True, cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip


def _measure(name: str, settings: Settings, given: argparse.Namespace) -> None:
    server = start_redis(settings.data)
    database = Database(settings.database_url)
    try:
        with database.write() as connection:
            token = keys.create(
                connection, pepper(settings), label="benchmark", scopes=("lookup", "assess", "programme"),
                actor=ACTOR, now=datetime.now(UTC),
            ).token  # fmt: skip
        with database.read() as connection:
            firms = list(connection.execute(select(firm.c.uscc).order_by(firm.c.uscc)).scalars())
        chosen = random.Random(7).sample(firms, ASKED)
        _compare(name, _environment(settings, server.url), token, chosen, given)
    finally:
        database.close()
        server.stop()


def _compare(
    name: str, environment: dict[str, str], token: str, firms: list[str], given: argparse.Namespace
) -> None:
    paths = [f"/v1/firms/{uscc}/assessment?as_of={AS_OF}" for uscc in firms]
    with (
        served("benchmarks.bare_web:make_app()", 8764, environment) as bare,
        served("service.wsgi:make_app()", 8765, environment) as full,
    ):
        tags = [_etag(full + path, token) for path in paths]
        asked: dict[str, Callable[[int], Load]] = {
            "bare": lambda seconds: _load(bare, ["/firm"], [], token, seconds),
            "assessment": lambda seconds: _load(full, paths, [], token, seconds),
            "hit": lambda seconds: _load(full, paths, tags, token, seconds),
        }
        for ask in asked.values():
            ask(2)  # warm
        rounds = [{key: ask(given.seconds) for key, ask in asked.items()} for _ in range(given.rounds)]
        checks = _checks(full, token, firms[:1000])
    print(f"{name}: bare Flask JSON endpoint {median(each['bare'].rate for each in rounds):,.0f}/s")
    _say(f"{name}: GET assessment ÷ bare", rounds, "assessment", "≥ 0.15 (aim 0.3)")
    _say(f"{name}: GET assessment, ETag hit ÷ bare", rounds, "hit", "≥ 0.6")
    print(f"{f'{name}: programme check of 1,000 firms':58} {checks:8.2f} s target ≤ 1 s", flush=True)


def _say(what: str, rounds: list[dict[str, Load]], key: str, target: str) -> None:
    ratios = sorted(each[key].rate / each["bare"].rate for each in rounds)
    rate, failed = median(each[key].rate for each in rounds), sum(each[key].failed for each in rounds)
    said = f"{rate:,.0f}/s; {ratios[0]:.2f} to {ratios[-1]:.2f}" + (f"; {failed} FAILED" if failed else "")
    print(f"{what:58} {median(ratios):8.2f}   target {target}   ({said})", flush=True)


@contextmanager
def served(application: str, port: int, environment: dict[str, str]) -> Iterator[str]:
    """The application under gunicorn, two processes, as ``tidui serve`` runs it."""
    address = f"127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "python:service.gunicorn",
        "--reuse-port",  # or, as the dice fall, one of the processes takes all of wrk's connections
        "--bind",
        address,
        application,
    ]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as web:
        try:
            _wait(f"http://{address}/healthz")
            yield f"http://{address}"
        finally:
            web.terminate()


def _wait(url: str) -> None:
    for _ in range(150):
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"{url} does not answer")


def _load(address: str, paths: list[str], tags: list[str], token: str, seconds: int) -> Load:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        quoted = [", ".join(json.dumps(text) for text in texts) for texts in (paths, tags)]
        script.write(REQUEST % (*quoted, token))
        script.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script.name, address]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    assert rate is not None
    return Load(float(rate[1]), int(failed[1]) if failed else 0)


def _etag(url: str, token: str) -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.headers["ETag"])


def _checks(address: str, token: str, firms: list[str]) -> float:
    body = json.dumps({"as_of": "2025-06-30", "purpose": "benchmark", "firms": firms}).encode()
    times = []
    for _ in range(5):
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": uuid.uuid4().hex,
        }
        started = time.perf_counter()
        request = urllib.request.Request(f"{address}/v1/programmes/voucher.growth/checks", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
        times.append(time.perf_counter() - started)
    return median(times)


def _environment(settings: Settings, redis_url: str | None) -> dict[str, str]:
    limits = {f"TIDUI_{kind}_LIMIT": "100000000 per minute" for kind in ("LOOKUP", "CHECK", "WRITE", "LOGIN")}
    return {
        **os.environ,
        **limits,
        "TIDUI_DATA": str(settings.data),
        "TIDUI_DATABASE_URL": settings.database_url,
        **({"TIDUI_REDIS_URL": redis_url} if redis_url else {}),
        "OMP_NUM_THREADS": "1",
    }


if __name__ == "__main__":
    main()
