"""The one settings object: read from the environment when a process starts, checked as a whole, then frozen.

Nothing reads the environment at import; what a setting is for stands beside it. ``docs/run.md`` lists them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from environs import Env, EnvError
from limits import parse_many
from marshmallow.validate import Range
from sqlalchemy.engine import make_url

from models.errors import Text, UsageRefused

DEFAULT_DATA = Path("data")


@dataclass(frozen=True)
class Settings:
    """Where things lie and how much is allowed."""

    data: Path
    """Editions, secrets, the embedded database and its kin."""
    database_url: str
    redis_url: str | None
    """None: ``tidui serve`` starts a server of its own."""
    proxy_hops: int = 0
    """How many reverse proxies stand before the service and may set X-Forwarded-For."""
    lookup_limit: str = "1200 per minute"
    """Per key, look-ups and assessments."""
    check_limit: str = "300 per minute"
    """Per key, calls that check programmes or match lists."""
    write_limit: str = "300 per minute"
    """Per key, calls that change something."""
    login_limit: str = "10 per minute"
    """Per client address, also of wrong keys."""
    body_limit: int = 4 * 1024 * 1024
    """Bytes of a request's body."""
    upload_limit: int = 2 * 1024**3
    """Bytes of an uploaded file."""
    store: str | None = None
    """Where editions, uploads and results lie: a folder or ``s3://…``; None: the data folder."""
    workers: int = 2
    """Worker processes that ``tidui serve`` starts."""
    lease_seconds: int = 90
    """How long a part of a run is its worker's; then it is given to another. Above what a part takes."""
    sweep_seconds: int = 15
    """How often workers look for work that was lost."""
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks beside the public one that webhooks may be sent to, also by plain HTTP."""
    key_pepper_file: Path | None = None
    """What API keys are hashed with; None: a file of the service's own under ``secrets``."""
    signing_key_file: Path | None = None
    """The Ed25519 key that signs checks; None: likewise."""

    @property
    def secrets(self) -> Path:
        return self.data / "secrets"

    @property
    def editions(self) -> Path:
        return self.data / "editions"

    @property
    def spool(self) -> Path:
        return self.data / "spool"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


@dataclass
class _Complaints:
    lines: list[Text] = field(default_factory=list)

    def add(self, name: str, zh: str, en: str) -> None:
        self.lines.append(Text(f"{name}：{zh}", f"{name}: {en}"))


def read_settings() -> Settings:
    """Settings from ``TIDUI_…`` variables; UsageRefused (S001) tells everything that is wrong at once."""
    env = Env()
    wrong = _Complaints()
    with env.prefixed("TIDUI_"):
        data = Path(env.str("DATA", str(DEFAULT_DATA))).absolute()
        settings = Settings(
            data=data,
            database_url=_database(
                env.str("DATABASE_URL", ""), data, _file(env, "DATABASE_PASSWORD_FILE", wrong), wrong
            ),
            redis_url=_redis(env.str("REDIS_URL", ""), wrong),
            proxy_hops=_number(env, "PROXY_HOPS", 0, Range(0, 10), wrong),
            lookup_limit=_limit(env, "LOOKUP_LIMIT", Settings.lookup_limit, wrong),
            check_limit=_limit(env, "CHECK_LIMIT", Settings.check_limit, wrong),
            write_limit=_limit(env, "WRITE_LIMIT", Settings.write_limit, wrong),
            login_limit=_limit(env, "LOGIN_LIMIT", Settings.login_limit, wrong),
            body_limit=_number(env, "BODY_LIMIT", Settings.body_limit, Range(1024, 2**30), wrong),
            upload_limit=_number(env, "UPLOAD_LIMIT", Settings.upload_limit, Range(1024, 2**40), wrong),
            store=_store(env.str("STORE", ""), wrong),
            workers=_number(env, "WORKERS", Settings.workers, Range(0, 64), wrong),
            lease_seconds=_number(env, "LEASE_SECONDS", Settings.lease_seconds, Range(1, 3600), wrong),
            sweep_seconds=_number(env, "SWEEP_SECONDS", Settings.sweep_seconds, Range(1, 600), wrong),
            webhook_networks=_networks(env.str("WEBHOOK_NETWORKS", ""), wrong),
            key_pepper_file=_file(env, "KEY_PEPPER_FILE", wrong),
            signing_key_file=_file(env, "SIGNING_KEY_FILE", wrong),
        )
    if wrong.lines:
        raise UsageRefused(
            "S001",
            Text(
                "设置有误：" + "；".join(line.zh for line in wrong.lines),
                "settings are wrong: " + "; ".join(line.en for line in wrong.lines),
            ),
            Text("改正这些环境变量后再启动，各项含义见 docs/run.md", "Mend these variables; see docs/run.md"),
        )
    return settings


def _database(url: str, data: Path, password_file: Path | None, wrong: _Complaints) -> str:
    """``password_file``: holds the password, so that the URL needs none."""
    if not url:
        return f"sqlite:///{data / 'tidui.sqlite'}"
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
    if not url.startswith(("postgresql+psycopg://", "sqlite:///")):
        wrong.add(
            "TIDUI_DATABASE_URL",
            "应以 postgresql+psycopg:// 或 sqlite:/// 开头",
            "begins with postgresql+psycopg:// or sqlite:///",
        )
    elif password_file is not None and password_file.is_file():
        password = password_file.read_text("utf-8").strip()
        return make_url(url).set(password=password).render_as_string(hide_password=False)
    return url


def _redis(url: str, wrong: _Complaints) -> str | None:
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        wrong.add("TIDUI_REDIS_URL", "应以 redis:// 开头", "begins with redis://")
    return url or None


def _store(where: str, wrong: _Complaints) -> str | None:
    if "://" in where and not where.startswith("s3://"):
        wrong.add("TIDUI_STORE", "应是文件夹，或以 s3:// 开头", "is a folder, or begins with s3://")
    return where or None


def _networks(text: str, wrong: _Complaints) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        wrong.add("TIDUI_WEBHOOK_NETWORKS", f"“{text}”应写成 10.1.0.0/16,…", f"“{text}”: write 10.1.0.0/16,…")
        return ()


def _limit(env: Env, name: str, default: str, wrong: _Complaints) -> str:
    text = env.str(name, default)
    try:
        parse_many(text)
    except ValueError:
        wrong.add(f"TIDUI_{name}", f"“{text}”应写成 600 per minute", f"“{text}”: write 600 per minute")
    return text


def _number(env: Env, name: str, default: int, within: Range, wrong: _Complaints) -> int:
    try:
        return env.int(name, default, validate=within)
    except EnvError:
        wrong.add(
            f"TIDUI_{name}",
            f"应为 {within.min}～{within.max} 的整数",
            f"a whole number, {within.min} to {within.max}",
        )
        return default


def _file(env: Env, name: str, wrong: _Complaints) -> Path | None:
    text = env.str(name, "")
    if not text:
        return None
    if not Path(text).is_file():
        wrong.add(f"TIDUI_{name}", f"没有文件“{text}”", f"no file “{text}”")
    return Path(text)
