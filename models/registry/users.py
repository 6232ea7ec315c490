"""People with passwords, for the pages: argon2, roles, and a lock after ten wrong passwords."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.errors import Text, TiduiError, UsageRefused
from models.registry.audit import Actor, append
from models.registry.keys import district_code
from models.registry.tables import user

ROLES: dict[str, frozenset[str]] = {
    "clerk": frozenset({"lookup", "assess"}),
    "officer": frozenset({"lookup", "assess", "write", "upload", "run"}),
    "programme": frozenset({"lookup", "assess", "programme"}),
    "administrator": frozenset({"admin"}),
    "auditor": frozenset({"audit"}),
}
"""Role to scopes. The administrator runs the system and sees no firm; the auditor reads the audit and nothing
else, by a right that no API key has."""
FAILURES = 10
LOCKED_FOR = timedelta(minutes=15)
PASSWORD_LENGTH = (10, 200)
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("nobody has this password")
"""Checked where there is no such user, so that the time taken does not tell."""


class LoginRefused(TiduiError):
    """Wrong login or password, or an account that is locked or disabled."""

    status = 401


class UserUnknown(TiduiError):
    """No user has this login."""

    status = 404


@dataclass(frozen=True)
class User:
    """What is known of a user. ``district`` limits what they may see; None: all."""

    id: int
    login: str
    role: str
    district: str | None
    made_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None

    @property
    def scopes(self) -> frozenset[str]:
        return ROLES[self.role]

    def state(self, now: datetime) -> str:
        """``active``, ``disabled`` or ``locked``."""
        if self.disabled_at is not None:
            return "disabled"
        return "locked" if self.locked_until is not None and now < self.locked_until else "active"


def create(
    connection: Connection,
    *,
    login: str,
    password: str,
    role: str,
    district: str | None = None,
    actor: Actor,
    now: datetime,
) -> User:
    """Make a user. UsageRefused: U001 login, U002 role, U003 password, U004 taken, K002 district."""
    _refuse(
        not LOGIN.fullmatch(login),
        "U001",
        "登录名应为 2～64 个小写字母、数字或 . _ @ -",
        "login: 2 to 64 of a-z 0-9 . _ @ -",
    )
    _refuse(role not in ROLES, "U002", f"没有角色“{role}”", f"no role “{role}”: {', '.join(ROLES)}")
    _check_password(login, password)
    place = district_code(district)
    row = {
        "login": login,
        "password": _HASHER.hash(password),
        "role": role,
        "district": place,
        "made_at": now,
    }
    taken = connection.execute(select(user.c.id).where(user.c.login == login)).one_or_none() is not None
    _refuse(taken, "U004", f"登录名“{login}”已有人用", f"login “{login}” is taken")
    try:
        connection.execute(insert(user).values(**row))
    except IntegrityError as error:  # two at once
        raise UsageRefused("U004", Text(f"登录名“{login}”已有人用", f"login “{login}” is taken")) from error
    append(connection, [actor.event("user.create", f"user:{login}", role=role, district=place)], now)
    return find(connection, login)


def find(connection: Connection, login: str) -> User:
    """By login. UserUnknown (U005)."""
    return _user(_row(connection, login))


def all_users(connection: Connection) -> list[User]:
    return [_user(row) for row in connection.execute(select(user).order_by(user.c.login))]


def disable(connection: Connection, login: str, *, actor: Actor, now: datetime) -> User:
    """The user cannot log in any more. UserUnknown (U005)."""
    row = _row(connection, login)
    if row.disabled_at is None:
        connection.execute(update(user).where(user.c.id == row.id).values(disabled_at=now))
        append(connection, [actor.event("user.disable", f"user:{login}")], now)
    return find(connection, login)


def set_password(connection: Connection, login: str, password: str, *, actor: Actor, now: datetime) -> User:
    """A new password, which also unlocks. UserUnknown (U005), UsageRefused (U003)."""
    row = _row(connection, login)
    _check_password(login, password)
    connection.execute(
        update(user)
        .where(user.c.id == row.id)
        .values(password=_HASHER.hash(password), failures=0, locked_until=None)
    )
    append(connection, [actor.event("user.password", f"user:{login}")], now)
    return find(connection, login)


def authenticate(
    connection: Connection, login: str, password: str, *, client: str, now: datetime
) -> User | LoginRefused:
    """The user, or why not: U100 wrong, U101 locked. A refusal is returned, for its count must be committed.

    A disabled user is answered like a wrong password; only who has the right one is told of a lock.
    """
    row = connection.execute(select(user).where(user.c.login == login).with_for_update()).one_or_none()
    right = _verified(row.password if row is not None else _NOBODY, password)
    actor = Actor(f"user:{login[:64]}", row.role if row is not None else "unknown", client)
    if row is None or row.disabled_at is not None:
        append(connection, [actor.event("login.refused", f"user:{login[:64]}")], now)
        return _wrong()
    if row.locked_until is not None and now < row.locked_until:
        append(connection, [actor.event("login.locked", f"user:{login}")], now)
        return _locked() if right else _wrong()
    if not right:
        _count_failure(connection, row, now)
        append(connection, [actor.event("login.refused", f"user:{login}")], now)
        return _wrong()
    changed: dict[str, object] = {"failures": 0, "locked_until": None}
    if _HASHER.check_needs_rehash(row.password):
        changed["password"] = _HASHER.hash(password)
    connection.execute(update(user).where(user.c.id == row.id).values(**changed))
    append(connection, [actor.event("login", f"user:{login}")], now)
    return _user(row)


def _count_failure(connection: Connection, row: Row[tuple[object, ...]], now: datetime) -> None:
    failures = (0 if row.locked_until is not None else row.failures) + 1  # a lock that has ended starts anew
    locked = now + LOCKED_FOR if failures >= FAILURES else None
    connection.execute(update(user).where(user.c.id == row.id).values(failures=failures, locked_until=locked))


def _verified(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _check_password(login: str, password: str) -> None:
    low, high = PASSWORD_LENGTH
    _refuse(
        not low <= len(password) <= high,
        "U003",
        f"密码应为 {low}～{high} 个字符",
        f"password: {low} to {high} characters",
    )
    _refuse(
        login in password.lower() or len(set(password)) < 4,
        "U003",
        "密码不能含登录名，也不能只是几个重复的字符",
        "the password may not hold the login or be a few characters repeated",
    )


def _row(connection: Connection, login: str) -> Row[tuple[object, ...]]:
    row = connection.execute(select(user).where(user.c.login == login)).one_or_none()
    if row is None:
        raise UserUnknown("U005", Text(f"没有用户“{login}”", f"no user “{login}”"))
    return row


def _user(row: Row[tuple[object, ...]]) -> User:
    return User(row.id, row.login, row.role, row.district, row.made_at, row.disabled_at, row.locked_until)


def _wrong() -> LoginRefused:
    return LoginRefused("U100", Text("登录名或密码不对", "the login or the password is wrong"))


def _locked() -> LoginRefused:
    return LoginRefused(
        "U101",
        Text("密码错得太多，账号暂时锁住", "too many wrong passwords: the account is locked for a while"),
        Text("15 分钟后再试，或请管理员重设密码", "Try again in 15 minutes, or ask for a new password"),
    )


def _refuse(wrong: bool, code: str, zh: str, en: str) -> None:
    if wrong:
        raise UsageRefused(code, Text(zh, en))
