"""Database, broker, store, clocks and versions."""

from __future__ import annotations

import platform
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import redis
from sqlalchemy import text

from models.doctor.findings import Finding, ok
from models.errors import Text
from models.jobs.leases import database_now
from models.jobs.scheduled import last_started
from models.registry.database import Database
from models.registry.migrate import is_current
from models.rules.rulebook import rulebook
from models.settings import Settings
from models.store import FolderStore, store_of

Clock = Callable[[], datetime]
APART_SECONDS = 5.0
"""Clocks that differ by more are told of. Leases go by the database's alone."""
BEAT_SECONDS = 120.0
"""A sweep that was not started for so long: no beat, or no worker to take it."""
LITTLE_ROOM = 2 * 1024**3
LIBRARIES = ("celery", "celery-redbeat", "polars", "pyarrow", "sqlalchemy", "redis", "psycopg")
QUEUE = "tidui"
NO_BROKER = Text(
    "没有设 TIDUI_REDIS_URL；tidui serve 用内置的", "TIDUI_REDIS_URL is not set; tidui serve brings its own"
)


def database_answers(database: Database) -> Iterator[Finding]:
    asked = "SELECT sqlite_version()" if database.is_sqlite else "SHOW server_version"
    with database.read() as connection:
        said = connection.execute(text(asked)).scalar_one()
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    yield ok("database", f"{kind} {said}", f"{kind} {said}")


def schema_is_current(database: Database) -> Iterator[Finding]:
    if is_current(database):
        yield ok("schema", "表结构是最新的", "the schema is current")
        return
    yield Finding(
        "schema",
        "error",
        Text("表结构还没有建立或更新", "there is no schema yet, or an old one"),
        Text("运行 tidui registry migrate", "Run tidui registry migrate"),
    )


def broker_answers(settings: Settings) -> Iterator[Finding]:
    """Redis, and whether it keeps what it is given."""
    if settings.redis_url is None:
        yield Finding("broker", "ok", NO_BROKER)
        return
    with redis_of(settings.redis_url) as client:
        server, memory = client.info("server"), client.info("memory")
        saved = client.info("persistence")
        waiting = client.llen(QUEUE)
    said = server["redis_version"]
    yield ok("broker", f"Redis {said}，排队消息 {waiting} 条", f"Redis {said}, {waiting} messages wait")
    policy = memory.get("maxmemory_policy")
    if policy not in {None, "noeviction"}:
        yield Finding(
            "broker",
            "warning",
            Text(f"maxmemory-policy 是 {policy}，会丢任务", f"maxmemory-policy {policy} may drop tasks"),
            Text("设为 noeviction", "Set it to noeviction"),
        )
    if not saved.get("aof_enabled"):
        yield Finding(
            "broker",
            "warning",
            Text(
                "没有开 appendonly，重启会清空队列（任务随后由巡查找回）",
                "appendonly is off: a restart empties the queue (the sweep then finds the work again)",
            ),
            Text("设 appendonly yes", "Set appendonly yes"),
        )


def store_keeps(settings: Settings) -> Iterator[Finding]:
    """Put, fetch, compare, delete."""
    store, content = store_of(settings), secrets.token_bytes(4096)
    key = f"doctor/{secrets.token_hex(8)}"
    with tempfile.TemporaryDirectory(prefix="tidui-doctor-") as folder:
        path = Path(folder) / "probe"
        path.write_bytes(content)
        store.put(path, key)
        try:
            same = store.fetch(key).read_bytes() == content
        finally:
            store.delete(key)
    if not same:
        changed = Text("读回的内容与写入的不同", "what was read is not what was written")
        yield Finding("store", "error", changed)
        return
    yield ok("store", f"{store.place} 可读可写", f"{store.place} can be written and read")
    if isinstance(store, FolderStore):
        yield from _room(Path(store.place))


def _room(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    if free < LITTLE_ROOM:
        left = f"{free / 1024**3:.1f} GB"
        yield Finding(
            "store",
            "warning",
            Text(f"磁盘只剩 {left}", f"only {left} of disk left"),
            Text("清理空间", "Free some space"),
        )


def database_clock(database: Database, clock: Clock) -> Iterator[Finding]:
    """This machine's clock against the database's."""
    with database.read() as connection:
        yield _apart("数据库", "the database", database_now(connection), clock())


def broker_clock(url: str, clock: Clock) -> Iterator[Finding]:
    """This machine's clock against that of Redis."""
    with redis_of(url) as client:
        seconds, millionths = client.time()
    there = datetime.fromtimestamp(int(seconds) + int(millionths) / 1e6, UTC)
    yield _apart("Redis", "Redis", there, clock())


def _apart(zh: str, en: str, there: datetime, here: datetime) -> Finding:
    apart = (here - there).total_seconds()
    found = Text(f"本机时钟与{zh}相差 {apart:+.1f} 秒", f"our clock is {apart:+.1f} s from that of {en}")
    if abs(apart) <= APART_SECONDS:
        return Finding("clock", "ok", found)
    hint = Text("校准时钟（NTP）", "Set the clock right (NTP)")
    return Finding("clock", "warning", found, hint)


def versions() -> Iterator[Finding]:
    libraries = " ".join(f"{name} {version(name)}" for name in LIBRARIES)
    said = f"tidui {version('tidui')} · Python {platform.python_version()} · {libraries}"
    yield ok("versions", said, said)
    book = rulebook()
    yield ok(
        "rules",
        f"{len(book.packs)} 个规则包，{book.hash[:12]}",
        f"{len(book.packs)} rule packs, {book.hash[:12]}",
    )


def beat_beats(database: Database, clock: Clock) -> Iterator[Finding]:
    """When a sweep was last started, and what the last night did."""
    with database.read() as connection:
        started = last_started(connection)
    sweep, night = started.get("sweep"), started.get("nightly")
    if sweep is None or sweep.at is None:
        yield ok("beat", "定时器还没有运行过", "the beat has not run yet")
    else:
        ago = (clock() - sweep.at).total_seconds()
        said = Text(f"上次巡查在 {ago:.0f} 秒前", f"the last sweep was {ago:.0f} s ago")
        hint = Text("检查 tidui beat 和 tidui worker 是否在运行", "See that tidui beat and tidui worker run")
        late = ago > BEAT_SECONDS
        yield Finding("beat", "warning" if late else "ok", said, hint if late else None)
    if night is not None and night.at is not None:
        at = night.at.isoformat(timespec="minutes")
        done = (night.result or {}).get("run")
        zh, en = (f"开始了第 {done} 次评估", f"began run {done}") if done else ("不需要重评", "nothing to do")
        yield ok("beat", f"上次夜间检查 {at}：{zh}", f"the last night, {at}: {en}")


@contextmanager
def redis_of(url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5)
    try:
        yield client
    finally:
        client.close()
