"""``tidui beat``: the clock that starts sweeps and the nightly judging."""

from __future__ import annotations

import logging

import click

from models.settings import read_settings
from workers.command import celery_for
from workers.orphaned import end_with_parent
from workers.schedule import run_beat


@click.command()
def beat() -> None:
    """定时器：每 15 秒找回丢失的任务，每夜 0:30 按需重评全库。可以开几个，只有一个在做，其余等着接替。

    The clock of background work. Several may run: one works, the others stand by.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    celery = celery_for(read_settings())
    end_with_parent()
    raise SystemExit(run_beat(celery))
