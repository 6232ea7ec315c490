"""A PostgreSQL server of a test's own, which may be stopped as by a power cut and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.e2e.served import free_port
from tests.services import missing


@dataclass
class OwnPostgres:
    """``programs``: the folder of ``initdb`` and ``pg_ctl``."""

    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/tidui"

    def start(self) -> None:
        self._control("-w", "-o", f"-p {self.port} -h 127.0.0.1 -k {self.folder}", "-l", "log", "start")

    def stop(self) -> None:
        """At once: nothing is written out, the next start recovers."""
        self._control("-w", "-m", "immediate", "stop")

    def _control(self, *arguments: str) -> None:
        self.run("pg_ctl", "-D", "data", *arguments)

    def run(self, program: str, *arguments: str) -> None:
        # PostgreSQL refuses to run as root.
        user = "postgres" if os.geteuid() == 0 else None
        command = [str(self.programs / program), *arguments]
        subprocess.run(command, cwd=self.folder, user=user, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A running server with an empty database ``tidui``."""
    folder = Path(tempfile.mkdtemp(prefix="tidui-pg-"))
    server = OwnPostgres(_programs(), folder, free_port())
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    try:
        server.run("initdb", "-D", "data", "-A", "trust", "-E", "UTF8", "--locale=C", "-U", "postgres", "-N")
        server.start()
        with psycopg.connect(
            f"postgresql://postgres@127.0.0.1:{server.port}/postgres", autocommit=True
        ) as administrator:
            administrator.execute("CREATE DATABASE tidui")
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed:
        missing("postgres", "no initdb, on PATH or in /usr/lib/postgresql")
    return installed[-1].parent
