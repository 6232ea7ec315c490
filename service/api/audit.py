"""``GET /v1/audit``: the auditor reads; nobody edits. Reading is itself recorded."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import marshmallow as ma
import orjson
from flask import Response

from models.errors import Text
from models.registry.audit import records
from service.auditing import record
from service.extension import reading
from service.security import NotAllowed, caller, needs
from service.wire import Blueprint, answer

blueprint = Blueprint("audit", __name__, url_prefix="/v1/audit", description="审计记录 The audit")
PAGE = 100


class AuditQuery(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    object = ma.fields.String(
        metadata={"example": "91310115MA1K3XXXX0", "description": "企业代码、密钥、核对编号等"}
    )
    actor = ma.fields.String(metadata={"example": "key:abcdefghijkl"})
    action = ma.fields.String(metadata={"example": "firm.read"})
    cursor = ma.fields.Integer(
        validate=ma.validate.Range(1, 2**62),
        metadata={"example": 1200, "description": "上一页最后一条的编号"},
    )
    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, PAGE))


class RecordSchema(ma.Schema):
    seq = ma.fields.Integer(required=True, metadata={"example": 1200})
    id = ma.fields.String(required=True)
    at = ma.fields.String(required=True, metadata={"example": "2026-06-30T01:02:03.000000+00:00"})
    actor = ma.fields.String(required=True, metadata={"example": "key:abcdefghijkl"})
    role = ma.fields.String(required=True, metadata={"example": "key"})
    client = ma.fields.String(required=True, metadata={"example": "10.1.2.3"})
    action = ma.fields.String(required=True, metadata={"example": "firm.read"})
    object = ma.fields.String(required=True)
    purpose = ma.fields.String(required=True, metadata={"example": "核对券申请"})
    before = ma.fields.String(required=True, allow_none=True)
    after = ma.fields.String(required=True, allow_none=True)
    details = ma.fields.Dict(required=True)
    previous = ma.fields.String(required=True)
    hash = ma.fields.String(required=True)


class AuditPage(ma.Schema):
    records = ma.fields.List(ma.fields.Nested(RecordSchema), required=True)
    cursor = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "下一页；null 为末页"}
    )


@blueprint.get("")
@needs("admin")
@blueprint.arguments(AuditQuery, location="query")
@blueprint.response(200, AuditPage, description="新的在前 Newest first")
def read_audit(query: dict[str, Any]) -> Response:
    """审计记录，新的在前；限区的密钥不能看 Audit records, newest first; not for a key of one district"""
    if caller().district is not None:
        raise NotAllowed(
            "K403",
            Text("审计记录是全市的，限区的密钥不能看", "the audit is of all districts: not for a key of one"),
            Text("请管理员另发密钥", "Ask the administrator for another key"),
        )
    limit = query["limit"]
    found = records(
        reading(),
        object=query.get("object"),
        actor=query.get("actor"),
        action=query.get("action"),
        before=query.get("cursor"),
        limit=limit + 1,
    )
    record(
        "audit.read",
        "audit",
        **{name: query[name] for name in ("object", "actor", "action") if name in query},
    )
    page = [{**asdict(one), "details": orjson.Fragment(one.details)} for one in found[:limit]]
    return answer({"records": page, "cursor": found[limit - 1].seq if len(found) > limit else None})
