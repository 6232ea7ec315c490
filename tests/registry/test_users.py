"""Users: passwords, roles, the lock after ten wrong ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from models.errors import UsageRefused
from models.registry import users
from models.registry.audit import Actor, records
from models.registry.database import Database
from models.registry.users import LoginRefused, User, UserUnknown

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WHO = Actor("cli:test", "operator", "here")
PASSWORD = "梯队 correct horse"


def make(database: Database, **given: object) -> User:
    options: dict[str, object] = {"login": "wang.li", "password": PASSWORD, "role": "clerk", **given}
    with database.write() as connection:
        return users.create(connection, actor=WHO, now=NOW, **options)  # type: ignore[arg-type]


def login(database: Database, password: str, now: datetime = NOW, login: str = "wang.li") -> object:
    with database.write() as connection:
        return users.authenticate(connection, login, password, client="10.0.0.1", now=now)


def code(answer: object) -> str:
    assert isinstance(answer, LoginRefused)
    return answer.code


def test_the_right_password_lets_in_with_the_roles_scopes(database: Database) -> None:
    make(database, role="officer", district="徐汇区")
    found = login(database, PASSWORD)
    assert isinstance(found, User)
    assert found.district == "310104"
    assert "upload" in found.scopes
    assert "programme" not in found.scopes


def test_nobody_and_a_wrong_password_are_answered_alike(database: Database) -> None:
    make(database)
    assert code(login(database, "not this one")) == code(login(database, PASSWORD, login="nobody")) == "U100"


def test_ten_wrong_passwords_lock_for_a_quarter_of_an_hour(database: Database) -> None:
    make(database)
    for _ in range(10):
        assert code(login(database, "wrong wrong")) == "U100"
    assert code(login(database, PASSWORD)) == "U101"
    assert code(login(database, "wrong wrong")) == "U100"
    assert code(login(database, PASSWORD, NOW + timedelta(minutes=14))) == "U101"
    assert isinstance(login(database, PASSWORD, NOW + timedelta(minutes=15)), User)


def test_after_a_lock_the_count_starts_anew(database: Database) -> None:
    make(database)
    for _ in range(10):
        login(database, "wrong wrong")
    later = NOW + timedelta(minutes=16)
    assert code(login(database, "wrong wrong", later)) == "U100"
    assert isinstance(login(database, PASSWORD, later), User)


def test_a_right_password_forgives_nine_wrong_ones(database: Database) -> None:
    make(database)
    for _ in range(2):
        for _ in range(9):
            login(database, "wrong wrong")
        assert isinstance(login(database, PASSWORD), User)


def test_a_new_password_unlocks(database: Database) -> None:
    make(database)
    for _ in range(10):
        login(database, "wrong wrong")
    with database.write() as connection:
        users.set_password(connection, "wang.li", "another good one", actor=WHO, now=NOW)
    assert isinstance(login(database, "another good one"), User)
    assert code(login(database, PASSWORD)) == "U100"


def test_a_disabled_user_is_out(database: Database) -> None:
    make(database)
    with database.write() as connection:
        assert users.disable(connection, "wang.li", actor=WHO, now=NOW).state(NOW) == "disabled"
    assert code(login(database, PASSWORD)) == "U100"


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"login": "X"}, "U001"),
        ({"login": "wang\n"}, "U001"),
        ({"role": "king"}, "U002"),
        ({"password": "short"}, "U003"),
        ({"password": "my wang.li password"}, "U003"),
        ({"password": "aaaaaaaaaaaa"}, "U003"),
        ({"district": "火星"}, "K002"),
    ],
)
def test_a_wrong_user_is_refused(database: Database, given: dict[str, object], refusal: str) -> None:
    with pytest.raises(UsageRefused) as refused:
        make(database, **given)
    assert refused.value.code == refusal


def test_a_login_is_given_once(database: Database) -> None:
    make(database)
    with pytest.raises(UsageRefused) as refused:
        make(database)
    assert refused.value.code == "U004"


def test_no_such_user(database: Database) -> None:
    with database.read() as connection, pytest.raises(UserUnknown):
        users.find(connection, "nobody")


def test_passwords_are_kept_nowhere_and_log_ins_are_recorded(database: Database) -> None:
    make(database)
    login(database, PASSWORD)
    login(database, "wrong wrong")
    with database.read() as connection:
        assert PASSWORD not in str(connection.execute(text('SELECT * FROM "user"')).all())
        assert [record.action for record in records(connection)] == ["login.refused", "login", "user.create"]
