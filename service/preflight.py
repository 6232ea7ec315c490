"""``tidui serve --check``: whether the service could run here, said line by line."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from importlib import import_module

import redis

from models.doctor.services import store_keeps
from models.errors import TiduiError
from models.registry.database import Database
from models.registry.migrate import is_current
from models.registry.state import read_state
from models.rules.rulebook import rulebook
from models.settings import Settings
from service import embedded
from workers.queue import make_celery

Check = Callable[[], str]


def preflight(settings: Settings, say: Callable[[str], None]) -> bool:
    """Tell what works and what does not; True if the service can run."""
    database = Database(settings.database_url)
    checks: list[tuple[str, Check]] = [
        ("数据目录 data folder", partial(_data, settings)),
        ("规则包 rule packs", _rules),
        ("数据库 database", partial(_database, settings, database)),
        ("Redis", partial(_redis, settings)),
        ("存储 store", partial(_store, settings)),
        ("后台任务 workers", partial(_workers, settings)),
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


def _store(settings: Settings) -> str:
    found = list(store_keeps(settings))
    if any(one.level == "error" for one in found):
        raise OSError(found[0].text.zh)
    return "；".join(one.text.zh for one in found)


def _workers(settings: Settings) -> str:
    if not settings.workers:
        return "不随服务启动（TIDUI_WORKERS=0）：另外运行 tidui worker 和 tidui beat"
    groups = [name for name in make_celery(settings).conf.include if import_module(name)]
    logs = settings.data / "logs"
    return f"{settings.workers} 个工作进程和定时器随服务启动，{len(groups)} 组任务；日志在 {logs}"


def _redis(settings: Settings) -> str:
    if settings.redis_url is None:
        return f"未设 TIDUI_REDIS_URL，启动时用内置的：{embedded.version()}"
    client = redis.Redis.from_url(settings.redis_url, socket_connect_timeout=2, socket_timeout=2)
    try:
        return f"{client.info('server')['redis_version']}"
    finally:
        client.close()
