"""API keys: ``tdk_<id>_<secret>``, shown once; the database keeps their HMAC-SHA256 under a pepper it never
sees.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, update

from models.codes import districts
from models.errors import Text, TiduiError, UsageRefused
from models.registry.audit import Actor, append
from models.registry.state import keys_changed
from models.registry.tables import api_key

SCOPES = ("lookup", "assess", "write", "upload", "run", "programme", "admin")
TOKEN = re.compile(r"tdk_([a-z2-7]{12})_[A-Za-z0-9_-]{32,128}")
LABEL_LENGTH = 200


class KeyUnknown(TiduiError):
    """No key has this id."""

    status = 404


@dataclass(frozen=True)
class Key:
    """What is known of a key; not the key itself. ``district`` limits what it may see; None: all."""

    id: str
    label: str
    scopes: frozenset[str]
    district: str | None
    made_at: datetime
    made_by: str
    expires_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """``active``, ``revoked`` or ``expired``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "active"


@dataclass(frozen=True)
class Issued:
    """A new key and its token: the only time the token can be read."""

    key: Key
    token: str


def create(
    connection: Connection,
    pepper: bytes,
    *,
    label: str,
    scopes: Iterable[str],
    district: str | None = None,
    expires_at: datetime | None = None,
    actor: Actor,
    now: datetime,
) -> Issued:
    """Make a key. ``district`` is six digits or a name.

    UsageRefused: K001 scopes, K002 district, K003 label, K004 expiry.
    """
    checked = _scopes(scopes)
    place = district_code(district)
    _refuse(
        not label.strip() or len(label) > LABEL_LENGTH, "K003", "用途说明应为 1～200 字", "label: 1 to 200"
    )
    _refuse(
        expires_at is not None and expires_at <= now, "K004", "失效时间已经过去", "the expiry date has passed"
    )
    id_ = base64.b32encode(secrets.token_bytes(10)).decode().lower()[:12]
    token = f"tdk_{id_}_{secrets.token_urlsafe(32)}"
    key = Key(id_, label.strip(), checked, place, now, actor.name, expires_at, None)
    connection.execute(
        insert(api_key).values(
            id=id_, digest=digest(pepper, token), label=key.label, scopes=_spelt(checked), district=place,
            made_at=now, made_by=actor.name, expires_at=expires_at,
        )
    )  # fmt: skip
    append(connection, [actor.event("key.create", f"key:{id_}", **_described(key))], now)
    return Issued(key, token)


def find(connection: Connection, pepper: bytes, token: str) -> Key | None:
    """The key a token belongs to, expired and revoked ones too; None if the id or the secret is wrong."""
    match = TOKEN.fullmatch(token)
    row = connection.execute(select(api_key).where(api_key.c.id == match[1])).one_or_none() if match else None
    stored = row.digest if row is not None else "0" * 64  # compare in any case: the time taken says nothing
    right = hmac.compare_digest(stored, digest(pepper, token))
    return _key(row) if row is not None and right else None


def revoke(connection: Connection, id: str, *, actor: Actor, now: datetime) -> Key:
    """End a key at once, in every process. A second time changes nothing. KeyUnknown (K005)."""
    row = connection.execute(select(api_key).where(api_key.c.id == id).with_for_update()).one_or_none()
    if row is None:
        raise KeyUnknown(
            "K005",
            Text(f"没有密钥“{id}”", f"no key “{id}”"),
            Text("用 tidui keys list 查看", "List them by tidui keys list"),
        )
    if row.revoked_at is None:
        connection.execute(update(api_key).where(api_key.c.id == id).values(revoked_at=now))
        keys_changed(connection)
        append(connection, [actor.event("key.revoke", f"key:{id}")], now)
    return _key(connection.execute(select(api_key).where(api_key.c.id == id)).one())


def all_keys(connection: Connection) -> list[Key]:
    """Every key that was ever made, oldest first."""
    return [
        _key(row) for row in connection.execute(select(api_key).order_by(api_key.c.made_at, api_key.c.id))
    ]


def digest(pepper: bytes, token: str) -> str:
    return hmac.digest(pepper, token.encode(), hashlib.sha256).hex()


def _key(row: Row[tuple[object, ...]]) -> Key:
    return Key(
        row.id, row.label, frozenset(row.scopes.split()), row.district,
        row.made_at, row.made_by, row.expires_at, row.revoked_at,
    )  # fmt: skip


def _scopes(given: Iterable[str]) -> frozenset[str]:
    scopes = frozenset(given)
    wrong = sorted(scopes - set(SCOPES))
    _refuse(
        not scopes or bool(wrong),
        "K001",
        f"权限“{'、'.join(wrong)}”不认识" if wrong else "至少要有一项权限",
        f"unknown scopes: {', '.join(wrong)}" if wrong else "at least one scope",
        Text("可用：" + "、".join(SCOPES), "Choose from " + ", ".join(SCOPES)),
    )
    return scopes


def district_code(given: str | None) -> str | None:
    """A district's six digits, from them or from its name. UsageRefused (K002)."""
    if given is None:
        return None
    code = districts().readings.get(given.strip())
    _refuse(
        code is None or code == "310000",
        "K002",
        f"“{given}”不是上海市的区",
        f"“{given}” is not a district of Shanghai",
        Text("写六位代码或区名，例如 310115 或 浦东新区", "Six digits or the name, e.g. 310115"),
    )
    return code


def _spelt(scopes: frozenset[str]) -> str:
    return " ".join(scope for scope in SCOPES if scope in scopes)


def _described(key: Key) -> dict[str, str | None]:
    return {
        "label": key.label,
        "scopes": _spelt(key.scopes),
        "district": key.district,
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
    }


def _refuse(wrong: bool, code: str, zh: str, en: str, hint: Text | None = None) -> None:
    if wrong:
        raise UsageRefused(code, Text(zh, en), hint)
