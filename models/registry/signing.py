"""The service's own signing key, and every public key that checks were ever signed with."""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, insert, select

from models.receipts import PublicKey, SigningKey, read_signing_key
from models.registry.secrets import kept
from models.registry.tables import signing_key
from models.settings import Settings


def own_key(settings: Settings) -> SigningKey:
    """The key of TIDUI_SIGNING_KEY_FILE, or one made at first use among the secrets. UsageRefused (S010)."""
    given = settings.signing_key_file
    if given is not None:
        return read_signing_key(given.read_bytes(), str(given))
    path = settings.secrets / "signing-key.pem"
    return read_signing_key(kept(path, _new_key), str(path))


def own_public_key(settings: Settings) -> PublicKey | None:
    """The public half, where there is a key already; none is made."""
    path = settings.signing_key_file or settings.secrets / "signing-key.pem"
    return own_key(settings).public if path.exists() else None


def remember_key(connection: Connection, key: PublicKey, now: datetime) -> None:
    """Keep the public key for as long as the checks it signed: for ever."""
    if connection.execute(select(signing_key.c.kid).where(signing_key.c.kid == key.kid)).first() is None:
        connection.execute(insert(signing_key).values(kid=key.kid, public=key.raw, first_used=now))


def known_keys(connection: Connection) -> list[tuple[PublicKey, datetime]]:
    """All keys with the moment of their first use, the latest first."""
    query = select(signing_key).order_by(signing_key.c.first_used.desc(), signing_key.c.kid)
    return [(PublicKey(row.public), row.first_used) for row in connection.execute(query)]


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
