"""The process that reads an upload: whatever the file does to it, nobody else is hurt.

``python -m models.uploads.child``: a request on standard input, the answer as JSON on standard output. It has
limits on memory, dies with its parent, and is stopped by it when it takes too long.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from models.errors import FileRefused, Text, TiduiError
from models.registry.database import DatabaseAway
from models.store import StoreAway
from models.tabular.choices import Choices, plain_choices
from models.tabular.issues import refusal

MEMORY = 12 * 2**30
"""Address space in bytes; a workbook's parser, its own child, is allowed half of it."""
SECONDS = 900
_REFUSED, _AWAY, _OUT_OF_MEMORY = 3, 4, 5
_STOPPED = frozenset([-signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGBUS, _OUT_OF_MEMORY])
Task = Literal["check", "errors"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done with a file. ``folder``: an empty one for what is made on the way."""

    task: Task
    path: str
    name: str
    dated: str
    folder: str
    data: str
    database_url: str
    store: str | None
    choices: Mapping[str, Any]

    @classmethod
    def of(
        cls, task: Task, path: Path, name: str, dated: date, folder: Path, choices: Choices, place: Place
    ) -> Request:
        return cls(
            task, str(path), name, dated.isoformat(), str(folder), *place, dict(plain_choices(choices))
        )


Place = tuple[str, str, str | None]
"""The data folder, the database and the store."""


def ask(request: Request, *, seconds: float = SECONDS, memory: int = MEMORY) -> dict[str, Any]:
    """Have it done. FileRefused says what is wrong with the file; DatabaseAway and StoreAway: not now."""
    root = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{root}{os.pathsep}{inherited}" if inherited else root,
        "TMPDIR": request.folder,  # so that nothing is left where nobody looks if it is killed
    }
    with subprocess.Popen(
        [sys.executable, "-m", "models.uploads.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # so that it can be stopped with what it has started
    ) as child:
        try:
            asked = json.dumps({**asdict(request), "memory": memory}).encode()
            said, complained = child.communicate(asked, timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            raise refusal("E014", seconds=int(seconds)) from None
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    return _answer(child.returncode, said, complained, seconds)


def _answer(code: int, said: bytes, complained: bytes, seconds: float) -> dict[str, Any]:
    if code == 0:
        found: dict[str, Any] = json.loads(said)
        return found
    if code in {_REFUSED, _AWAY}:
        raise _error(json.loads(said), away=code == _AWAY)
    if code in _STOPPED or b"memory allocation" in complained:
        raise refusal("E014", seconds=int(seconds))
    raise RuntimeError(f"exit {code}: {complained.decode(errors='replace')[-2000:]}")


def _error(said: Mapping[str, Any], *, away: bool) -> TiduiError:
    kind = (StoreAway if said["code"].startswith("T") else DatabaseAway) if away else FileRefused
    hint = Text(*said["hint"]) if said["hint"] else None
    return kind(said["code"], Text(*said["text"]), hint)


def main() -> int:
    """The child."""
    asked = json.load(sys.stdin)
    _limit(asked.pop("memory"))
    try:
        from models.uploads.examine import carry_out  # noqa: PLC0415  (under the limits)

        answer = carry_out(Request(**asked))
    except (DatabaseAway, StoreAway) as error:
        return _tell(error, _AWAY)
    except TiduiError as error:
        return _tell(error, _REFUSED)
    except MemoryError:
        return _OUT_OF_MEMORY
    json.dump(answer, sys.stdout)
    return 0


def _tell(error: TiduiError, code: int) -> int:
    hint = [error.hint.zh, error.hint.en] if error.hint else None
    json.dump({"code": error.code, "text": [error.message.zh, error.message.en], "hint": hint}, sys.stdout)
    return code


def _limit(memory: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: end when the worker is killed
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


if __name__ == "__main__":
    sys.exit(main())
