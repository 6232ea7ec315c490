"""gunicorn's settings (``gunicorn -c python:service.gunicorn``); the command line may add to them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

wsgi_app = "service.wsgi:make_app()"
bind = "127.0.0.1:8000"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 4
# Never preload: an engine or a thread made before the fork would be shared by the workers.
preload_app = False
timeout = 60
graceful_timeout = 20
keepalive = 5
limit_request_line = 8190
# Heartbeats on a disk block a worker when the disk is slow.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
# Otherwise it opens one in the home folder (conventions.md P17).
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = "warning"
proc_name = "tidui"


def post_worker_init(_worker: Any) -> None:
    from service import unread  # noqa: PLC0415  (the master needs none of the application)

    unread.install()
