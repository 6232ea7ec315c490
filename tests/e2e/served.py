"""``tidui serve`` as a process, the way a user starts it."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 90.0
TIDUI = Path(sys.executable).with_name("tidui")


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A running service: its process, its address, what it said until it was ready."""

    process: subprocess.Popen[bytes]
    address: str
    said: str
    data: Path

    @property
    def key(self) -> str:
        found = re.search(r"tdk_\S+", self.said)
        assert found, self.said
        return found[0]

    def get(self, path: str, **query: str) -> Answer:
        asked = f"?{urllib.parse.urlencode(query)}" if query else ""
        return self.call("GET", path + asked)

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        sent = dict(headers or {})
        if "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {self.key}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        request = urllib.request.Request(self.address + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(40)


@contextmanager
def serve(data: Path, *options: str, **environment: str) -> Iterator[Served]:
    """The service on a free port over ``data``; killed at the end if a test has not stopped it."""
    port = free_port()
    process = subprocess.Popen(
        [str(TIDUI), "serve", "--port", str(port), "--workers", "1", *options],
        env={
            **os.environ,
            "TIDUI_DATA": str(data),
            "TIDUI_REDIS_URL": "",
            "TIDUI_DATABASE_URL": "",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield Served(process, f"http://127.0.0.1:{port}", _until_ready(process), data)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(40)
        if process.stdout:
            process.stdout.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_ready(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    said = b""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 0.5)[0]:
            part = os.read(process.stdout.fileno(), 65536)
            said += part
            if b"Ctrl-C.\n" in said:
                return said.decode()
            if not part:
                break
    raise AssertionError(f"the service did not become ready:\n{said.decode()}")
