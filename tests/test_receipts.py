"""Receipts: what was signed verifies anywhere, and a changed byte anywhere is found."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from models.cli.check import check
from models.errors import UsageRefused
from models.receipts import PublicKey, SigningKey, read_public_key, receipt, verify
from models.registry.signing import own_key, own_public_key
from models.settings import Settings

ANSWER: dict[str, Any] = {
    "format": "tidui-check/1",
    "check": "6f0c7c1e-5f57-4c62-9a62-3c1a4a0f2d11",
    "programme": {"id": "voucher.growth", "name": {"zh": "成长券", "en": "growth voucher"}},
    "uscc": "91310115MA1K3XXXX0",
    "name": "上海示例精密机械有限公司",
    "as_of": "2025-06-30",
    "verdict": "eligible",
    "verdict_text": {"zh": "预评估具备条件", "en": "eligible by this assessment"},
    "purpose_reached": None,
    "purpose": "成长券预核",
    "asked_by": {"id": "key:a", "label": "经信委"},
    "asked_at": "2025-06-30T02:00:00.000+00:00",
    "rulebook": "ab" * 32,
    "edition": {"id": 1, "hash": "cd" * 32},
    "disclaimer": {"zh": "预评估，不构成认定", "en": "An assessment, not a recognition"},
}
PAYLOAD = orjson.dumps(ANSWER)
KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
RECEIPT = receipt(PAYLOAD, KEY.sign(PAYLOAD), KEY.public)


def _settings(tmp_path: Path, key: Path | None = None) -> Settings:
    return Settings(data=tmp_path, database_url="sqlite://", redis_url=None, signing_key_file=key)


def _unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_receipt_verifies_and_says_whose_key_it_is() -> None:
    alone, ours = verify(RECEIPT), verify(RECEIPT, own=[KEY.public])
    theirs = verify(RECEIPT, given=[OTHER.public, KEY.public])
    assert alone.intact
    assert ours.intact
    assert theirs.intact
    assert (alone.trust, ours.trust, theirs.trust) == (None, "own", "given")
    assert alone.answer == ANSWER


def test_any_jose_library_could_verify_it() -> None:
    """By the letter of RFC 7515: the signature is over ``header.payload`` in ASCII."""
    written = json.loads(RECEIPT)
    header, payload, signature = written["jws"].split(".")
    assert json.loads(_unpadded(header)) == {
        "alg": "EdDSA",
        "kid": written["key"]["kid"],
        "typ": "tidui-check",
    }
    assert json.loads(_unpadded(payload)) == ANSWER
    public = Ed25519PublicKey.from_public_bytes(_unpadded(written["key"]["x"]))
    public.verify(_unpadded(signature), f"{header}.{payload}".encode())


def test_the_thumbprint_is_that_of_the_standard() -> None:
    """RFC 8037, appendix A.3."""
    raw = _unpadded("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert PublicKey(raw).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("bit", [0x01, 0x20, 0x80])
def test_a_changed_byte_anywhere_is_found(bit: int) -> None:
    changed = bytearray(RECEIPT)
    for place in range(len(RECEIPT)):
        changed[place] ^= bit
        assert not verify(bytes(changed), own=[KEY.public]).intact, place
        changed[place] ^= bit


@given(st.integers(0, len(RECEIPT)), st.binary(max_size=6), st.integers(0, 6))
def test_bytes_put_in_or_cut_out_are_found(place: int, added: bytes, cut: int) -> None:
    changed = RECEIPT[:place] + added + RECEIPT[place + cut :]
    assert verify(changed).intact == (changed == RECEIPT)


def test_a_changed_answer_beside_a_sound_signature_names_the_place() -> None:
    changed = RECEIPT.replace(b'"verdict":"eligible"', b'"verdict":"unknown"', 1)
    found = verify(changed)
    assert [problem.zh for problem in found.problems] == ["“/answer/verdict”与签名的内容不一致"]
    assert found.answer == ANSWER


def test_a_resigned_receipt_is_not_taken_for_ours() -> None:
    forged_answer = orjson.dumps({**ANSWER, "verdict": "not_eligible"})
    forged = receipt(forged_answer, OTHER.sign(forged_answer), OTHER.public)
    assert verify(forged, own=[KEY.public]).trust is None
    assert not verify(forged, given=[KEY.public]).intact


def test_another_key_under_our_name_is_found() -> None:
    signature = OTHER.sign(PAYLOAD)
    header = KEY.sign(PAYLOAD).split(".")[0]
    forged = receipt(PAYLOAD, f"{header}..{signature.split('.')[2]}", KEY.public)
    assert not verify(forged).intact


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"jws":1}', b'{"jws":"a.b.c"}', b"\xff", b"null", b'"x"']
)
def test_what_is_no_receipt_is_said_to_be_none(content: bytes) -> None:
    assert [problem.zh for problem in verify(content).problems] == ["不是凭据文件，或文件已损坏"]


def test_the_key_is_made_once_and_lies_open_to_nobody(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert own_public_key(settings) is None
    first, second = own_key(settings), own_key(settings)
    assert first.public == second.public == own_public_key(settings)
    assert stat.S_IMODE((tmp_path / "secrets" / "signing-key.pem").stat().st_mode) == 0o600


def test_a_key_file_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("not a key at all, whatever its length may be", "utf-8")
    with pytest.raises(UsageRefused) as caught:
        own_key(_settings(tmp_path, file))
    assert caught.value.code == "S010"


def test_public_keys_are_read_as_jwk_set_and_pem() -> None:
    keys = orjson.dumps({"keys": [OTHER.public.jwk, KEY.public.jwk]})
    assert read_public_key(keys) == [OTHER.public, KEY.public]
    assert read_public_key(orjson.dumps(KEY.public.jwk)) == [KEY.public]
    pem = (
        b"-----BEGIN PUBLIC KEY-----\n"
        + base64.b64encode(bytes.fromhex("302a300506032b6570032100") + KEY.public.raw)
        + b"\n-----END PUBLIC KEY-----\n"
    )
    assert read_public_key(pem) == [KEY.public]
    with pytest.raises(UsageRefused):
        read_public_key(b'{"kty":"RSA"}')


class TestCommand:
    """``tidui check verify``."""

    @pytest.fixture(autouse=True)
    def _elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TIDUI_DATA", str(tmp_path / "data"))
        self.file = tmp_path / "receipt.json"
        self.file.write_bytes(RECEIPT)
        self.keys = tmp_path / "keys.json"

    def _run(self, *more: str) -> tuple[int, str]:
        result = CliRunner().invoke(check, ["verify", str(self.file), *more])
        return result.exit_code, result.output

    def test_says_what_was_decided_and_warns_of_an_unknown_key(self) -> None:
        code, said = self._run()
        assert code == 0
        for words in (
            "一字不差",
            "上海示例精密机械有限公司",
            "预评估具备条件",
            "成长券预核",
            "不能证明是谁签发",
        ):
            assert words in said

    def test_trusts_a_given_key(self) -> None:
        self.keys.write_bytes(orjson.dumps({"keys": [KEY.public.jwk]}))
        code, said = self._run("--public-key", str(self.keys))
        assert code == 0
        assert "就是您给出的公钥" in said

    def test_refuses_a_receipt_of_another_key(self) -> None:
        self.keys.write_bytes(orjson.dumps({"keys": [OTHER.public.jwk]}))
        code, said = self._run("--public-key", str(self.keys))
        assert code == 1
        assert "不是这个公钥" in said

    def test_a_changed_receipt_fails(self) -> None:
        self.file.write_bytes(RECEIPT.replace("上海示例".encode(), "上海示列".encode(), 1))
        code, said = self._run()
        assert code == 1
        assert "/answer/name" in said

    def test_json_for_programs(self) -> None:
        code, said = self._run("--json")
        assert code == 0
        told = json.loads(said)
        assert (told["intact"], told["key_trusted"], told["answer"]) == (True, False, ANSWER)
