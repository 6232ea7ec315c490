"""``tidui serve``: Redis of our own, web server, worker and beat, started together and stopped together."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import FrameType

from models.errors import Text, TiduiError
from models.settings import Settings
from service import embedded
from service.background import Background
from service.processes import Child, stop_all
from workers.orphaned import STARTED_BY

START_SECONDS = 60.0
POLL_SECONDS = 0.2
GRACE_SECONDS = 25.0
"""For requests and parts of runs to come to their end."""


class NotServed(TiduiError):
    """The service could not be started, or one of its processes ended."""

    status = 503


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the data folder; NotServed (S002) where another ``tidui serve`` has it."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotServed(
                "S002",
                Text("这个数据目录已有一个服务在运行", "a service already runs on this data folder"),
                Text(
                    "先停掉它，或另设 TIDUI_DATA",
                    "Stop it first, or set TIDUI_DATA to another folder",
                ),
                str(settings.data),
            ) from error
        yield


@contextmanager
def redis_for(settings: Settings) -> Iterator[Settings]:
    """Settings with a Redis that answers: the configured one, or one of our own while the context lasts."""
    if settings.redis_url:
        yield settings
        return
    server = embedded.start(settings.data)
    try:
        yield replace(settings, redis_url=server.url)
    finally:
        server.stop()


def serve_web(settings: Settings, host: str, port: int, workers: int, ready: Callable[[str], None]) -> int:
    """Run the web server until it is told to stop; ``ready`` hears the address once it answers.

    Returns the exit code: 0 after SIGTERM or Ctrl-C. NotServed (S004) if it never answers.
    """
    _refuse_taken(host, port)
    environment = _environment(settings)
    web = Child.start(
        "web",
        [
            sys.executable, "-m", "gunicorn", "-c", "python:service.gunicorn",
            "--bind", f"{host}:{port}", "--workers", str(workers),
        ],
        environment=environment,
    )  # fmt: skip
    background = Background(
        settings.workers, settings.data / "logs", {**environment, STARTED_BY: str(os.getpid())}
    )
    try:
        with _told_to_stop() as stop:
            background.start()
            address = f"http://{host}:{port}"
            if not _answers(web, f"{address}/healthz", stop):
                if stop:
                    return 0
                raise NotServed(
                    "S004",
                    Text(f"{address} 没有启动起来", f"{address} did not come up"),
                    Text(
                        "看上面的出错信息；tidui serve --check 逐项检查",
                        "See the message above; tidui serve --check tells part by part",
                    ),
                )
            ready(address)
            while web.running and not stop:
                time.sleep(POLL_SECONDS)
                background.tend()
            return 0 if stop else int(web.process.wait())
    finally:
        # A part that is cut off is given out again when its lease has run out.
        stop_all([web, *background.children], GRACE_SECONDS)


def _refuse_taken(host: str, port: int) -> None:
    """NotServed (S005) where the port is another's, before the web server says it in its own words."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NotServed(
                "S005",
                Text(f"不能监听 {host}:{port}：{error.strerror}", f"cannot listen on {host}:{port}"),
                Text("换一个端口：tidui serve --port 8001", "Choose another port: tidui serve --port 8001"),
            ) from error


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "TIDUI_DATA": str(settings.data),
        "TIDUI_DATABASE_URL": settings.database_url,
        "TIDUI_REDIS_URL": settings.redis_url or "",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }


@contextmanager
def _told_to_stop() -> Iterator[list[int]]:
    """A list that fills when SIGTERM or SIGINT arrives."""
    received: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, hear) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _answers(web: Child, url: str, stop: list[int]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and web.running and not stop:
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
        time.sleep(POLL_SECONDS)
    return False
