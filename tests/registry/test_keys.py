"""Keys: what is stored, what is told, what a limit on a district means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from models.errors import UsageRefused
from models.registry import keys
from models.registry.audit import Actor, records
from models.registry.database import Database
from models.registry.keys import KeyUnknown
from models.registry.pulse import Pulse
from models.registry.secrets import SecretRefused, kept, pepper
from models.settings import Settings

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PEPPER = b"p" * 32
WHO = Actor("cli:test", "operator", "here")


def make(database: Database, **given: object) -> keys.Issued:
    options: dict[str, object] = {"label": "浦东服务中心", "scopes": ["lookup", "assess"], **given}
    with database.write() as connection:
        return keys.create(connection, PEPPER, actor=WHO, now=NOW, **options)  # type: ignore[arg-type]


def test_a_key_opens_what_it_was_made_for(database: Database) -> None:
    issued = make(database, district="浦东新区")
    with database.read() as connection:
        found = keys.find(connection, PEPPER, issued.token)
    assert found is not None
    assert (found.scopes, found.district, found.state(NOW)) == (
        frozenset({"lookup", "assess"}),
        "310115",
        "active",
    )


def test_the_database_holds_neither_key_nor_secret(database: Database) -> None:
    issued = make(database)
    secret = issued.token.rsplit("_", 1)[1]
    with database.read() as connection:
        stored = str(connection.execute(text("SELECT * FROM api_key")).all())
        noted = str(records(connection))
    assert secret not in stored
    assert secret not in noted


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace("tdk_", "tdk_aaaa")[: len(token)],
        lambda token: "",
        lambda token: token + "x",
        lambda token: "tdk_'; DROP TABLE api_key; --",
    ],
)
def test_another_token_is_nobodys(database: Database, spoil: object) -> None:
    issued = make(database)
    with database.read() as connection:
        assert keys.find(connection, PEPPER, spoil(issued.token)) is None  # type: ignore[operator]


def test_another_pepper_makes_the_token_worthless(database: Database) -> None:
    issued = make(database)
    with database.read() as connection:
        assert keys.find(connection, b"q" * 32, issued.token) is None


def test_revoking_counts_up_what_every_request_reads(database: Database) -> None:
    issued = make(database)
    pulse = Pulse(database)
    before = pulse.read().keys_version
    for _ in range(2):  # a second time changes nothing
        with database.write() as connection:
            assert keys.revoke(connection, issued.key.id, actor=WHO, now=NOW).state(NOW) == "revoked"
    assert pulse.read().keys_version == before + 1
    pulse.close()
    with database.read() as connection:
        assert [record.action for record in records(connection)] == ["key.revoke", "key.create"]


def test_a_key_ends_at_its_expiry(database: Database) -> None:
    key = make(database, expires_at=NOW + timedelta(days=1)).key
    assert key.state(NOW + timedelta(days=1, seconds=-1)) == "active"
    assert key.state(NOW + timedelta(days=1)) == "expired"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"scopes": ["lookup", "root"]}, "K001"),
        ({"scopes": []}, "K001"),
        ({"district": "朝阳区"}, "K002"),
        ({"district": "310000"}, "K002"),
        ({"label": " "}, "K003"),
        ({"expires_at": NOW}, "K004"),
    ],
)
def test_a_wrong_order_is_refused(database: Database, given: dict[str, object], code: str) -> None:
    with pytest.raises(UsageRefused) as refused:
        make(database, **given)
    assert refused.value.code == code


def test_no_key_of_this_id(database: Database) -> None:
    with database.write() as connection, pytest.raises(KeyUnknown):
        keys.revoke(connection, "nosuchkey", actor=WHO, now=NOW)


def test_the_pepper_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, database_url="", redis_url=None)
    first = pepper(settings)
    assert first == pepper(settings)
    file = settings.secrets / "key-pepper"
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in settings.secrets.iterdir()] == ["key-pepper"]


def test_a_pepper_that_is_too_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"abc")
    with pytest.raises(SecretRefused):
        kept(tmp_path / "short", lambda: b"")
