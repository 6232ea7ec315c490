"""Requests a second of the API against a bare Flask endpoint under the same server, in one run.

python -m benchmarks.api [--firms 100000] [--seconds 8]   SQLite and, where one answers, PostgreSQL
Needs ``wrk`` on PATH (apt install wrk). The registry is synthetic; limits are raised out of the way.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median

from sqlalchemy import select

from benchmarks.measure import ROOT, tidui
from models.registry import keys
from models.registry.audit import Actor
from models.registry.database import Database
from models.registry.migrate import upgrade
from models.registry.secrets import pepper
from models.registry.tables import firm
from models.settings import Settings
from service.embedded import start as start_redis
from tests.services import postgres_database, postgres_url

AS_OF = date(2026, 6, 30)
ASKED = 400
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
    options = argparse.ArgumentParser()
    options.add_argument("--firms", type=int, default=100_000)
    options.add_argument("--seconds", type=int, default=8)
    given = options.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed: apt install wrk")
    with tempfile.TemporaryDirectory(prefix="tidui-bench-") as folder:
        source = Path(folder) / "firms.parquet"
        subprocess.run(
            [*tidui("synth", "-n", str(given.firms), "-o", str(source)), "--as-of", str(AS_OF)], check=True
        )
        for name, url in _databases(Path(folder)):
            with url as database_url:
                _measure(name, Settings(Path(folder) / name, database_url, None), source, given.seconds)


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


def _measure(name: str, settings: Settings, source: Path, seconds: int) -> None:
    settings.data.mkdir(parents=True, exist_ok=True)
    server = start_redis(settings.data)
    database = Database(settings.database_url)
    environment = _environment(settings, server.url)
    try:
        upgrade(database)
        subprocess.run(
            tidui("registry", "import", str(source), "--dated", str(AS_OF)), env=environment, check=True,
            cwd=ROOT, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        now = datetime.now(UTC)
        with database.write() as connection:
            token = keys.create(
                connection, pepper(settings), label="benchmark", scopes=("lookup", "assess", "programme"),
                actor=ACTOR, now=now,
            ).token  # fmt: skip
        with database.read() as connection:
            firms = list(connection.execute(select(firm.c.uscc).order_by(firm.c.uscc).limit(1000)).scalars())
        _compare(name, environment, token, firms, seconds)
    finally:
        database.close()
        server.stop()


def _compare(name: str, environment: dict[str, str], token: str, firms: list[str], seconds: int) -> None:
    with _served("benchmarks.bare_web:make_app()", environment) as address:
        bare = _load(f"{address}", ["/firm"], [], token, seconds).rate
    with _served("service.wsgi:make_app()", environment) as address:
        paths = [f"/v1/firms/{uscc}/assessment?as_of={AS_OF}" for uscc in firms[:ASKED]]
        tags = [_etag(address + path, token) for path in paths]
        full = _load(address, paths, [], token, seconds)
        hit = _load(address, paths, tags, token, seconds)
        checks = _checks(address, token, firms)
    print(f"{name}: bare Flask JSON endpoint {bare:,.0f}/s")
    _say(f"{name}: GET assessment ÷ bare", full, bare, "≥ 0.15 (aim 0.3)")
    _say(f"{name}: GET assessment, ETag hit ÷ bare", hit, bare, "≥ 0.6")
    print(f"{f'{name}: programme check of {len(firms):,} firms':58} {checks:8.2f} s target ≤ 1 s", flush=True)


def _say(what: str, load: Load, bare: float, target: str) -> None:
    failed = f"  {load.failed} FAILED" if load.failed else ""
    print(f"{what:58} {load.rate / bare:8.2f}   target {target}   ({load.rate:,.0f}/s){failed}", flush=True)


@contextmanager
def _served(application: str, environment: dict[str, str]) -> Iterator[str]:
    """The application under gunicorn, two processes, as ``tidui serve`` runs it."""
    address = "127.0.0.1:8765"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "python:service.gunicorn",
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
        subprocess.run([*command[:3], "-d2s", *command[4:]], check=True, capture_output=True)  # warm
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


def _environment(settings: Settings, redis_url: str) -> dict[str, str]:
    limits = {f"TIDUI_{kind}_LIMIT": "100000000 per minute" for kind in ("LOOKUP", "CHECK", "WRITE", "LOGIN")}
    return {
        **os.environ,
        **limits,
        "TIDUI_DATA": str(settings.data),
        "TIDUI_DATABASE_URL": settings.database_url,
        "TIDUI_REDIS_URL": redis_url,
        "OMP_NUM_THREADS": "1",
    }


if __name__ == "__main__":
    main()
