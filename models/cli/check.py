"""``tidui check``: verify the receipt of a programme's check, without database or network."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from models.cli.options import echo_json, json_option
from models.errors import FileRefused, Text
from models.receipts import SIZE_LIMIT, PublicKey, Verification, read_public_key
from models.receipts import verify as verify_receipt
from models.registry.signing import own_public_key
from models.settings import read_settings


@click.group()
def check() -> None:
    """核验资格核查的凭据。Verify receipts of programme checks."""


@check.command()
@click.argument("receipt", type=click.Path(path_type=Path))
@click.option(
    "--public-key",
    type=click.Path(path_type=Path),
    help="签发单位的公钥：/v1/signing-keys 的内容，或 PEM。 The issuer's public key.",
)
@json_option
def verify(receipt: Path, public_key: Path | None, as_json: bool) -> None:
    """离线核验凭据：一个字节被改动也查得出。Verify a receipt offline.

    \b
    退出码 Exit codes:
      0 与签发时一字不差 every byte is as it was issued
      1 被改动过，或不是这个公钥签的 changed, or signed with another key
    不给公钥时只用本机的密钥或凭据自带的公钥，后一种只证明凭据自身完整，不证明谁签发。
    """
    content = _read(receipt)
    given = read_public_key(_read(public_key)) if public_key else []
    found = verify_receipt(content, given=given, own=_own())
    echo_json(_plain(found)) if as_json else click.echo(_told(found))
    sys.exit(0 if found.intact else 1)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise FileRefused(
            "E011",
            Text(f"文件打不开：{error.strerror}", f"cannot be opened: {error.strerror}"),
            None,
            str(path),
        ) from error


def _own() -> Sequence[PublicKey]:
    key = own_public_key(read_settings())
    return [key] if key else []


def _plain(found: Verification) -> dict[str, Any]:
    return {
        "intact": found.intact,
        "key_trusted": found.trust is not None,
        "key": found.kid,
        "problems": [{"zh": problem.zh, "en": problem.en} for problem in found.problems],
        "answer": found.answer,
    }


def _told(found: Verification) -> str:
    if not found.intact:
        lines = ["✗ 凭据核验不通过 The receipt does not verify"]
        lines += [f"  · {problem.zh}\n    {problem.en}" for problem in found.problems]
        if found.answer is not None:
            lines.append("  签名部分本身完好，签名的内容是 What was signed:")
            lines += _summary(found.answer)
        return "\n".join(lines)
    return "\n".join(
        ["✓ 凭据与签发时一字不差 Every byte is as it was issued", *_summary(found.answer), *_key(found)]
    )


def _summary(answer: Any) -> list[str]:
    """What the receipt says, for people; a signed document that is no check shows as it is."""
    try:
        firm = f"{answer['uscc']} {answer['name'] or '（无名称）'}"
        lines = [
            f"  企业　{firm}",
            f"  项目　{answer['programme']['name']['zh']}（{answer['programme']['id']}）",
            f"  结论　{answer['verdict_text']['zh']}（评价日 {answer['as_of']}）",
            f"  用途　{answer['purpose']}",
            f"  核查　{answer['asked_by']['label']}，{answer['asked_at']}，编号 {answer['check']}",
            f"  依据　规则 {answer['rulebook'][:12]}，企业库 {str(answer['edition']['hash'])[:12]}",
        ]
        if answer["purpose_reached"]:
            lines.insert(3, f"  　　　{answer['purpose_reached']['zh']}")
        if "operational_definition" in answer:
            lines.append(f"  注意　{answer['operational_definition']['zh']}")
        return [*lines, f"  　　　{answer['disclaimer']['zh']}"]
    except (KeyError, TypeError):
        return ["  " + json.dumps(answer, ensure_ascii=False)[:2000]]


def _key(found: Verification) -> list[str]:
    if found.trust == "given":
        return [f"  公钥　{found.kid}：就是您给出的公钥 the key you gave"]
    if found.trust == "own":
        return [f"  公钥　{found.kid}：本机的签名密钥 this machine's own key"]
    return [
        f"  公钥　{found.kid}：只是凭据自带的，不能证明是谁签发 only the receipt itself vouches for it",
        "  　　　请向签发单位取公钥（/v1/signing-keys）后用 --public-key 再核",
    ]
