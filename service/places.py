"""A bounded number of long answers at once: streams and big files must not take all threads of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable

from models.errors import Text, TiduiError


class NoPlace(TiduiError):
    """All places are taken. Try again, or ask in another way."""

    status = 503


class Places:
    """So many places in one process."""

    def __init__(self, count: int, code: str, message: Text, hint: Text) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._refusal = (code, message, hint)

    def take(self) -> Callable[[], None]:
        """A place; call what is returned to give it back, as often as you like. NoPlace if there is none."""
        if not self._free.acquire(blocking=False):
            raise NoPlace(*self._refusal)
        given_back = threading.Lock()

        def give_back() -> None:
            if given_back.acquire(blocking=False):
                self._free.release()

        return give_back
