"""``/v1/checks``: decisions of programmes as they were given, their receipts, and computing them again."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from models.differences import Difference
from models.fields import catalogue
from models.registry.checks import Check, Replay, find_check, receipt_of, replay
from models.registry.signing import known_keys, own_key
from service.auditing import record
from service.extension import reading, state, tidui
from service.schemas.checks import CheckShown, KeySet, ReceiptSchema, ReplaySchema
from service.security import caller, needs, public
from service.wire import Blueprint, answer, not_modified

blueprint = Blueprint("checks", __name__, url_prefix="/v1", description="资格核查 Checks of programmes")


@blueprint.get("/checks/<uuid:check_id>")
@needs("programme")
@blueprint.response(200, CheckShown)
def read_check(check_id: Any) -> Response:
    """一次核查，与签发时逐字节相同 One check, byte for byte as it was given"""
    check = _found(check_id, "check.read")
    return not_modified(check.id) or answer(shown_check(check), etag=check.id)


@blueprint.get("/checks/<uuid:check_id>/receipt")
@needs("programme")
@blueprint.response(200, ReceiptSchema)
def read_receipt(check_id: Any) -> Response:
    """可离线核验的凭据文件：tidui check verify receipt.json A receipt that verifies offline"""
    check = _found(check_id, "check.receipt")
    content = receipt_of(reading(), check)
    name = f'attachment; filename="receipt-{check.id}.json"'
    return answer(content, headers={"Content-Disposition": name})


@blueprint.get("/checks/<uuid:check_id>/replay")
@needs("programme")
@blueprint.response(200, ReplaySchema)
def read_replay(check_id: Any) -> Response:
    """按当时留存的数据和规则重算：一致，或列出差异 Compute it again: identical, or what differs"""
    check = _found(check_id, "check.replay")
    return answer(_replayed(check, replay(reading(), state(), check, district=caller().district)))


@blueprint.get("/signing-keys")
@public
@blueprint.response(200, KeySet)
def read_keys() -> Response:
    """核验凭据用的公钥（JWK 集），现用的在前 Public keys that receipts verify with, the present one first"""
    own = tidui().once("signing-key", lambda: own_key(tidui().settings)).public
    earlier = [key for key, _ in known_keys(reading()) if key.kid != own.kid]
    return answer({"keys": [key.jwk for key in (own, *earlier)]})


def _found(check_id: Any, action: str) -> Check:
    check = find_check(reading(), str(check_id), district=caller().district)
    record(action, check.uscc, check=check.id)
    return check


def shown_check(check: Check) -> dict[str, Any]:
    """A check as it is answered: the signed bytes untouched."""
    own = f"/v1/checks/{check.id}"
    return {
        "answer": orjson.Fragment(check.answer),
        "signature": check.signature,
        "links": {"self": own, "receipt": f"{own}/receipt", "replay": f"{own}/replay"},
    }


def _replayed(check: Check, found: Replay) -> dict[str, Any]:
    same = {"zh": "重算结果与当时一致", "en": "computed again, it is identical"}
    other = {
        "zh": "重算结果与当时不一致，见 differences",
        "en": "computed again, it differs: see differences",
    }
    unsigned = {"zh": "留存的答复与签名不符，不可信", "en": "the stored answer does not match its signature"}
    return {
        "check": check.id,
        "identical": found.identical,
        "signature_holds": found.signed,
        "differences": [_difference(one) for one in found.decision],
        "registry_today": {
            "found": found.registry is not None,
            "changed": [_moved(one) for one in found.registry or ()],
        },
        "said": same if found.identical else other if found.signed else unsigned,
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {"pointer": one.pointer, "then": one.then, "now": one.now}


def _moved(one: Difference) -> dict[str, Any]:
    parsed = catalogue().parse_column(one.pointer)
    label = parsed[0].label if parsed else None
    return {
        "column": one.pointer,
        "label": {"zh": label.zh, "en": label.en} if label else None,
        "then": one.then,
        "now": one.now,
    }
