"""``python -m workers.alive worker|beat``: does this host's worker, or any beat, live; for a health check."""

from __future__ import annotations

import socket
import sys

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from models.settings import read_settings
from workers.queue import make_celery

WORKER = "tidui"
"""The name given by ``tidui worker --name tidui``."""
ANSWER_SECONDS = 8.0


def worker_lives(celery: Celery, name: str = WORKER) -> bool:
    """It answers while it works, too: its main process does."""
    own = f"{name}@{socket.gethostname()}"
    return bool(celery.control.ping(destination=[own], timeout=ANSWER_SECONDS))


def beat_lives(url: str, key: str = "tidui:beat::lock") -> bool:
    """Some beat holds the lock; it lets go of it a minute after its last sign of life."""
    client = redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5)
    try:
        return bool(client.exists(key))
    finally:
        client.close()


def main() -> int:
    settings = read_settings()
    if settings.redis_url is None or sys.argv[1:] not in (["worker"], ["beat"]):
        print("python -m workers.alive worker|beat, with TIDUI_REDIS_URL", file=sys.stderr)
        return 2
    try:
        lives = (
            beat_lives(settings.redis_url) if sys.argv[1] == "beat" else worker_lives(make_celery(settings))
        )
    except (redis.RedisError, OperationalError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if lives else 1


if __name__ == "__main__":
    raise SystemExit(main())
