"""A bounded store of things that are dear to make: the least used one goes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Safe between threads. What is asked for twice at once is made once: the second waits."""

    def __init__(self, held: int) -> None:
        self._held = held
        self._things: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.RLock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The thing kept under ``key``, or a new one. What ``make`` raises is not kept."""
        with self._lock:
            thing = self._things.get(key)
            if thing is None:
                thing = self._things[key] = make()
                while len(self._things) > self._held:
                    self._things.popitem(last=False)
            self._things.move_to_end(key)
            return thing
