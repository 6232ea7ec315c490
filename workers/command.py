"""``tidui worker``: a process that does background work, with one child a core."""

from __future__ import annotations

import logging
import os
import socket

import click
from celery import Celery

from models.cli.database import database_for
from models.errors import Text, UsageRefused
from models.settings import Settings, read_settings
from workers.orphaned import end_with_parent
from workers.queue import make_celery
from workers.sweeping import Sweeping

NICENESS = 5
"""Look-ups come first on a machine that does both."""


@click.command()
@click.option(
    "--processes",
    default=lambda: os.cpu_count() or 1,
    type=click.IntRange(1, 64),
    help="工作进程数，默认为核数。Processes; one a core by default.",
)
@click.option("--name", help="名称，同一台机器上几个时要不同。Differs where several run on one machine.")
def worker(processes: int, name: str | None) -> None:
    """做后台任务：整库评估、检查和导入上传的文件、通知。可以在几台机器上各开一个。

    Do background work until told to stop (Ctrl-C, SIGTERM): what is at work is finished first.
    """
    settings = read_settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with database_for(settings):
        pass  # Better told now than at the first task.
    celery = celery_for(settings)
    os.nice(NICENESS)
    end_with_parent()
    raise SystemExit(run_worker(celery, processes, name))


def celery_for(settings: Settings) -> Celery:
    """The application of a worker; UsageRefused (S020) where no Redis is configured."""
    if settings.redis_url is None:
        raise UsageRefused(
            "S020",
            Text("没有设 TIDUI_REDIS_URL，没有任务可领", "TIDUI_REDIS_URL is not set: there is no queue"),
            Text(
                "设为 redis://主机:6379/0；只用一台机器时 tidui serve 自带工作进程",
                "Set it to redis://HOST:6379/0; on one machine tidui serve brings its own workers",
            ),
        )
    celery = make_celery(settings)
    celery.steps["consumer"].add(Sweeping)
    return celery


def run_worker(celery: Celery, processes: int, name: str | None) -> int:
    """Work until told to stop; the exit code."""
    working = celery.Worker(
        hostname=f"{name or f'tidui-{os.getpid()}'}@{socket.gethostname()}",
        pool="prefork",
        concurrency=processes,
        loglevel="INFO",
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    working.start()
    return int(working.exitcode or 0)
