"""Signed receipts of checks: a JWS (RFC 7515, compact; EdDSA with Ed25519, RFC 8037) that verifies offline.

The payload is the answer's bytes as they were given and stored. ``kid`` is the key's thumbprint (RFC 7638),
so a key cannot pass for another. ``docs/receipts.md`` says how to verify with any other JOSE library.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models.differences import differences
from models.errors import Text, UsageRefused

FORMAT = "tidui-receipt/1"
TYPE = "tidui-check"
SIZE_LIMIT = 4 * 1024 * 1024
"""Bytes of a receipt that is read at all."""

Trust = Literal["given", "own"]


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 public key with its thumbprint."""

    raw: bytes

    @cached_property
    def kid(self) -> str:
        # RFC 7638: the required members only, sorted, without spaces.
        members = {"crv": "Ed25519", "kty": "OKP", "x": _encode(self.raw)}
        return _encode(hashlib.sha256(orjson.dumps(members, option=orjson.OPT_SORT_KEYS)).digest())

    @property
    def jwk(self) -> dict[str, str]:
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": _encode(self.raw),
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.kid,
        }

    def verifies(self, signature: bytes, signed: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, signed)
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningKey:
    """The private key that signs checks."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(
            private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        )
        header = {"alg": "EdDSA", "kid": self.public.kid, "typ": TYPE}
        self._header = _encode(orjson.dumps(header))

    def sign(self, payload: bytes) -> str:
        """A detached JWS (RFC 7515, appendix F): ``header..signature``; the payload stands beside it."""
        signed = f"{self._header}.{_encode(payload)}".encode()
        return f"{self._header}..{_encode(self._private.sign(signed))}"


def read_signing_key(pem: bytes, place: str) -> SigningKey:
    """The key in a PEM (PKCS #8, no pass phrase). Raises UsageRefused (S010) where it is no such key."""
    try:
        private = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageRefused(
            "S010",
            Text("不是可用的 Ed25519 私钥", "no usable Ed25519 private key"),
            Text(
                "换成未加密的 PKCS#8 PEM：openssl genpkey -algorithm ed25519",
                "Give an unencrypted PKCS #8 PEM: openssl genpkey -algorithm ed25519",
            ),
            place,
        )
    return SigningKey(private)


def read_public_key(content: bytes) -> list[PublicKey]:
    """Public keys from PEM, JWK or a JWK set. Raises UsageRefused (S011)."""
    try:
        if content.lstrip().startswith(b"-----"):
            found = serialization.load_pem_public_key(content)
            if not isinstance(found, Ed25519PublicKey):
                raise ValueError("not Ed25519")
            return [PublicKey(found.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))]
        written = orjson.loads(content)
        return [_key_of(jwk) for jwk in written.get("keys", [written])]
    except (ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm) as error:
        raise UsageRefused(
            "S011",
            Text("不是可用的 Ed25519 公钥", "no usable Ed25519 public key"),
            Text("给出 /v1/signing-keys 的内容，或 PEM", "Give what /v1/signing-keys answers, or a PEM"),
        ) from error


def _key_of(jwk: Any) -> PublicKey:
    raw = _decode(jwk["x"])
    if jwk["kty"] != "OKP" or jwk["crv"] != "Ed25519" or len(raw) != 32:
        raise ValueError("not Ed25519")
    return PublicKey(raw)


def receipt(answer: bytes, signature: str, key: PublicKey) -> bytes:
    """The receipt as a file: the answer for people, the whole JWS, the public key."""
    header, _, signed = signature.partition("..")
    jws = f"{header}.{_encode(answer)}.{signed}"
    return b"".join(
        [
            b'{"format":', orjson.dumps(FORMAT),
            b',"answer":', answer,
            b',"jws":', orjson.dumps(jws),
            b',"key":', orjson.dumps(key.jwk),
            b"}\n",
        ]
    )  # fmt: skip


@dataclass(frozen=True)
class Verification:
    """What was found. ``problems`` is empty where every byte is as it was issued."""

    answer: Any
    """The signed answer, None where no signature holds."""
    kid: str | None
    trust: Trust | None
    """Whose the key is; None: only the receipt itself vouches for it."""
    problems: tuple[Text, ...]

    @property
    def intact(self) -> bool:
        return not self.problems


def verify(content: bytes, *, given: Sequence[PublicKey] = (), own: Sequence[PublicKey] = ()) -> Verification:
    """Verify a receipt's bytes. With keys ``given`` only those will do; ``own`` ones are known to be ours."""
    parsed = _parse(content)
    if parsed is None:
        return _failed("不是凭据文件，或文件已损坏", "no receipt, or a damaged one")
    written, header, payload, signed, signature = parsed
    try:
        inside = _key_of(written["key"])
    except (ValueError, TypeError, KeyError):
        return _failed("凭据里的公钥读不出", "the public key in the receipt cannot be read")
    key = next((k for k in given or [inside] if k.kid == header.get("kid")), None)
    if key is None:
        return _failed("签名用的不是这个公钥", "it was signed with another key", header.get("kid"))
    if header.get("alg") != "EdDSA" or header.get("typ") != TYPE or "crit" in header:
        return _failed("签名头不是凭据的签名头", "the signature's header is not a receipt's", key.kid)
    if not key.verifies(signature, signed):
        return _failed("签名不符：凭据被改动过", "the signature does not hold: it was changed", key.kid)
    trust: Trust | None = "given" if given else "own" if key.kid in {k.kid for k in own} else None
    return Verification(
        orjson.loads(payload), key.kid, trust, _changes(content, written, signed, signature, key)
    )


def _changes(
    content: bytes, written: Any, signed: bytes, signature: bytes, key: PublicKey
) -> tuple[Text, ...]:
    """What in the file is not as issued, although the signed part inside it holds."""
    header, _, payload = signed.decode().partition(".")
    answer = _decode(payload)
    issued = receipt(answer, f"{header}..{_encode(signature)}", key)
    if content == issued:
        return ()
    places = [found.pointer for found in differences(orjson.loads(issued), written)]
    if not places:
        return (
            Text(
                "内容与签名一致，但文件排版被改动过，不是签发时的原件",
                "the content holds, but the file was re-spelt",
            ),
        )
    return tuple(
        Text(f"“{place}”与签名的内容不一致", f"“{place}” is not what was signed") for place in places[:20]
    )


def _parse(content: bytes) -> tuple[Any, Any, bytes, bytes, bytes] | None:
    """(file, JWS header, payload, what was signed, signature), or None."""
    if len(content) > SIZE_LIMIT:
        return None
    try:
        written = orjson.loads(content)
        signed, _, signature = written["jws"].rpartition(".")
        header, _, payload = signed.partition(".")
        parsed = orjson.loads(_decode(header))
        answer = _decode(payload)
        orjson.loads(answer)
        if not isinstance(parsed, dict):
            return None
        return written, parsed, answer, signed.encode(), _decode(signature)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _failed(zh: str, en: str, kid: Any = None) -> Verification:
    return Verification(None, kid if isinstance(kid, str) else None, None, (Text(zh, en),))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """base64url without padding, strictly: one spelling for each value."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError(text) from error
    if _encode(raw) != text:
        raise ValueError("not the one spelling of its value")
    return raw
