"""``tidui serve --check``: whether the service could run here, said line by line."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial

import redis

from models.errors import TiduiError
from models.registry.database import Database
from models.registry.migrate import is_current
from models.registry.state import read_state
from models.rules.rulebook import rulebook
from models.settings import Settings
from service import embedded

Check = Callable[[], str]


def preflight(settings: Settings, say: Callable[[str], None]) -> bool:
    """Tell what works and what does not; True if the service can run."""
    database = Database(settings.database_url)
    checks: list[tuple[str, Check]] = [
        ("数据目录 data folder", partial(_data, settings)),
        ("规则包 rule packs", _rules),
        ("数据库 database", partial(_database, settings, database)),
        ("Redis", partial(_redis, settings)),
    ]
    try:
        return all([_one(name, check, say) for name, check in checks])
    finally:
        database.close()


def _one(name: str, check: Check, say: Callable[[str], None]) -> bool:
    try:
        say(f"✓ {name}　{check()}")
    except (TiduiError, OSError, redis.RedisError) as error:
        say(f"✗ {name}　{error}")
        return False
    return True


def _data(settings: Settings) -> str:
    settings.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.data):
        return str(settings.data)


def _rules() -> str:
    book = rulebook()
    return f"{len(book.packs)} 个规则包，{book.hash[:12]}"


def _database(settings: Settings, database: Database) -> str:
    kind = "SQLite" if settings.is_sqlite else "PostgreSQL"
    if not is_current(database):
        return f"{kind}，表结构待建立或更新：tidui registry migrate（SQLite 启动时自动做）"
    with database.read() as connection:
        edition = read_state(connection).edition_id
    return f"{kind}，" + (f"在用名册版本 {edition}" if edition else "还没有名册：tidui registry import 文件")


def _redis(settings: Settings) -> str:
    if settings.redis_url is None:
        return f"未设 TIDUI_REDIS_URL，启动时用内置的：{embedded.version()}"
    client = redis.Redis.from_url(settings.redis_url, socket_connect_timeout=2, socket_timeout=2)
    try:
        return f"{client.info('server')['redis_version']}"
    finally:
        client.close()
