"""Work done ahead of its use, by a thread for each step of a chain."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar, cast

T = TypeVar("T")
_END = object()


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The items, each worked out by a thread of its own while the one before is used. It begins at once."""
    thread = ThreadPoolExecutor(1)
    return _ahead(thread, items, thread.submit(next, items, _END))


def _ahead(thread: ThreadPoolExecutor, items: Iterator[T], waiting: Future[Any]) -> Generator[T, None, None]:
    with thread:
        while (item := waiting.result()) is not _END:
            waiting = thread.submit(next, items, _END)
            yield cast(T, item)
