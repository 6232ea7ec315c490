"""A beat in a hurry, as a process: ``python -m tests.workers.beating DATABASE_URL REDIS_URL DATA``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from models.settings import Settings
from workers.queue import make_celery
from workers.schedule import run_beat

LOCK_SECONDS = 4


def main() -> None:
    database, redis, data = sys.argv[1:]
    logging.basicConfig(level=logging.INFO)
    settings = Settings(data=Path(data), database_url=database, redis_url=redis, sweep_seconds=1)
    celery = make_celery(settings)
    celery.conf.update(redbeat_lock_timeout=LOCK_SECONDS, beat_max_loop_interval=1)
    raise SystemExit(run_beat(celery))


if __name__ == "__main__":
    main()
