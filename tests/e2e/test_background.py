"""``tidui serve`` brings its worker and its beat along: work gets done, and what is killed comes back."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest

from tests.e2e.served import Served, serve

WAIT = 120.0
ORDER = {"as_of": "2026-06-30", "standards": [{"a": "srdi.n63", "b": "srdi.n2"}]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("background") / "data"
    with serve(folder, "--demo", TIDUI_WORKERS="1", TIDUI_SWEEP_SECONDS="2") as running:
        yield running


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def processes(served: Served, command: str) -> list[psutil.Process]:
    """Of ``tidui worker`` and the like: the process that was started, not those it forked."""
    found = []
    for child in psutil.Process(served.process.pid).children():
        with suppress(psutil.Error):  # it ended meanwhile
            if command in child.cmdline():
                found.append(child)
    return found


def finished(served: Served) -> bool:
    """Ask for an impact and wait for it."""
    asked = served.call("POST", "/v1/impacts", ORDER)
    assert asked.status == 202, asked.body
    where = asked.json["links"]["self"]
    until(lambda: served.get(where).json["status"] not in {"queued", "running"})
    done = served.get(where).json
    return bool(done["status"] == "succeeded" and done["report"]["firms"] == 2000)


def test_work_that_is_asked_for_gets_done(served: Served) -> None:
    assert finished(served)


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_one_that_is_killed_comes_back(served: Served, command: str) -> None:
    until(lambda: len(processes(served, command)) == 1)
    (before,) = processes(served, command)
    before.send_signal(signal.SIGKILL)
    until(lambda: [one.pid for one in processes(served, command)] not in ([], [before.pid]))
    assert served.get("/healthz").status == 200
    assert finished(served)
