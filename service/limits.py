"""Rate limits by fixed windows, counted in Redis (or in this process where there is none).

A process takes hits from Redis in small handfuls, so that most requests ask it nothing; a limit is never
exceeded, at worst it is reached a handful early. When Redis is away look-ups go on uncounted and log-ins are
refused.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

import redis
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage, Storage
from redis.backoff import NoBackoff
from redis.retry import Retry

from models.errors import Text, TiduiError
from models.settings import Settings

Kind = Literal["lookup", "check", "write", "login"]
REDIS_SECONDS = 0.2
BACK_OFF_SECONDS = 5.0
HANDFULS = 50
"""A limit is taken in about so many handfuls a window."""
OWNERS = 10_000
log = logging.getLogger("tidui.limits")


class LimitReached(TiduiError):
    """Too many requests in this window."""

    status = 429

    def __init__(self, standing: Standing) -> None:
        seconds = standing.reset
        super().__init__(
            "L001",
            Text(
                f"请求过于频繁，本限额为每 {standing.window} 秒 {standing.quota} 次",
                f"too many requests: the limit is {standing.quota} in {standing.window} seconds",
            ),
            Text(f"{seconds} 秒后再试", f"Try again in {seconds} seconds"),
        )
        self.standing = standing


class LimiterAway(TiduiError):
    """The limit cannot be counted, and this call must not go on without."""

    status = 503


@dataclass(frozen=True)
class Standing:
    """What is left of ``quota`` calls in a window of ``window`` seconds; it starts anew in ``reset``."""

    name: str
    quota: int
    window: int
    remaining: int
    reset: int

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The IETF draft's two fields, and the older ones that libraries know."""
        return (
            ("RateLimit-Policy", f'"{self.name}";q={self.quota};w={self.window}'),
            ("RateLimit", f'"{self.name}";r={self.remaining};t={self.reset}'),
            ("X-RateLimit-Limit", str(self.quota)),
            ("X-RateLimit-Remaining", str(self.remaining)),
            ("X-RateLimit-Reset", str(self.reset)),
        )


@dataclass
class _Purse:
    window: int
    taken: int = 0
    """Hits in hand."""
    counted: int = 0
    """What Redis had counted when the last handful was taken: ours and other processes'."""


class Limiter:
    """Counts per kind and owner. Safe between threads; every process has its own purse."""

    def __init__(self, settings: Settings) -> None:
        self._items: dict[Kind, RateLimitItem] = {
            "lookup": parse(settings.lookup_limit),
            "check": parse(settings.check_limit),
            "write": parse(settings.write_limit),
            "login": parse(settings.login_limit),
        }
        self._storage = _storage(settings.redis_url)
        self._purses: OrderedDict[tuple[Kind, str], _Purse] = OrderedDict()
        self._lock = threading.Lock()
        self._away_until = 0.0
        self.uncounted = 0
        """Calls let through by this process while Redis was away."""

    def spend(self, kind: Kind, owner: str) -> Standing | None:
        """Count one call. Raises LimitReached (L001); None, and on with it, when Redis is away."""
        try:
            return self._spend(kind, owner)
        except redis.RedisError as error:
            self._back_off(error)
        except LimiterAway:
            pass
        self.uncounted += 1
        return None

    def spend_closed(self, kind: Kind, owner: str) -> Standing:
        """The same for log-ins. Raises LimiterAway (L002) when Redis is away."""
        try:
            return self._spend(kind, owner)
        except redis.RedisError as error:
            self._back_off(error)
            raise _away() from error

    def answers(self) -> bool:
        """Whether the counting store is there, asked now."""
        try:
            return bool(self._storage.check())
        except redis.RedisError:
            return False

    def close(self) -> None:
        pool = getattr(getattr(self._storage, "storage", None), "connection_pool", None)
        if pool is not None:
            pool.disconnect()

    def _back_off(self, error: redis.RedisError) -> None:
        self._away_until = time.monotonic() + BACK_OFF_SECONDS
        log.warning(
            "Redis is away (%s); %d calls went uncounted so far", type(error).__name__, self.uncounted
        )

    def _spend(self, kind: Kind, owner: str) -> Standing:
        item = self._items[kind]
        span = item.get_expiry()
        seconds = time.time()
        window, reset = int(seconds // span), math.ceil(span - seconds % span)
        with self._lock:
            purse = self._purse(kind, owner, window)
            if purse.taken == 0:
                self._take(purse, item, f"tidui:limit:{kind}:{owner}:{window}")
            if purse.taken == 0:
                raise LimitReached(Standing(kind, item.amount, span, 0, reset))
            purse.taken -= 1
            remaining = max(0, item.amount - purse.counted + purse.taken)
        return Standing(kind, item.amount, span, remaining, reset)

    def _purse(self, kind: Kind, owner: str, window: int) -> _Purse:
        purse = self._purses.get((kind, owner))
        if purse is None or purse.window != window:
            purse = self._purses[kind, owner] = _Purse(window)
        self._purses.move_to_end((kind, owner))
        if len(self._purses) > OWNERS:
            self._purses.popitem(last=False)
        return purse

    def _take(self, purse: _Purse, item: RateLimitItem, name: str) -> None:
        if time.monotonic() < self._away_until:
            raise _away()
        if purse.counted >= item.amount:
            return
        handful = max(1, item.amount // HANDFULS)
        counted = self._storage.incr(name, item.get_expiry(), handful)
        purse.taken = max(0, handful - max(0, counted - item.amount))
        purse.counted = min(counted, item.amount)


def _storage(url: str | None) -> Storage:
    if url is None:
        return MemoryStorage()
    pool = redis.ConnectionPool.from_url(
        url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, retry=Retry(NoBackoff(), 0)
    )
    return RedisStorage(url, connection_pool=pool)


def _away() -> LimiterAway:
    return LimiterAway(
        "L002",
        Text("暂时无法核对登录次数，请稍后再试", "log-ins cannot be counted just now"),
        Text("几秒后重试；仍不行请联系管理员检查 Redis", "Try again in a few seconds"),
    )
