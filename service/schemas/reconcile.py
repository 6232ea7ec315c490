"""What the reconciliation service takes and gives (W3C Reconciliation Service API 0.2).

Clients send more than the specification names; what is unknown in a query is left aside.
"""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from models.matching import MOST_QUERIES
from service.fields import said
from service.wire import parse_json

BATCH = 100
"""Queries that a client should send at once; :data:`MOST_QUERIES` are taken."""
LONGEST = 400_000
MOST_HOURS = 24


class Lenient(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE


class PropertyValue(Lenient):
    pid = ma.fields.String(required=True)
    v = ma.fields.Raw(required=True, allow_none=True)


class ReconcileQuery(Lenient):
    query = ma.fields.String(load_default="", allow_none=True)
    type = ma.fields.Raw(load_default=None, allow_none=True)
    limit = ma.fields.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(min=1))
    properties = ma.fields.List(ma.fields.Nested(PropertyValue), load_default=list)


class WantedProperty(Lenient):
    id = ma.fields.String(required=True)


class Extension(Lenient):
    ids = ma.fields.List(ma.fields.String(), required=True, validate=ma.validate.Length(max=MOST_QUERIES))
    properties = ma.fields.List(
        ma.fields.Nested(WantedProperty), required=True, validate=ma.validate.Length(max=50)
    )


class Written(ma.fields.Field[Any]):
    """JSON as the text of a form field, of the form that ``inner`` describes."""

    def __init__(self, inner: ma.fields.Field[Any], **options: Any) -> None:
        super().__init__(**options)
        self._inner = inner

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Any:
        if not isinstance(value, str) or len(value) > LONGEST:
            raise ma.ValidationError(said("F008", f"至多 {LONGEST} 个字符", f"at most {LONGEST} characters"))
        return self._inner.deserialize(parse_json(value.encode("utf-8", "surrogatepass")))


class Asked(Lenient):
    """``queries`` or ``extend``; with neither, a GET gives the manifest."""

    queries = Written(
        ma.fields.Dict(
            keys=ma.fields.String(),
            values=ma.fields.Nested(ReconcileQuery),
            validate=ma.validate.Length(max=MOST_QUERIES),
        ),
        metadata={
            "type": "string",
            "example": '{"q0": {"query": "警松建设", "properties": [{"pid": "district", "v": "310104"}]}}',
            "description": f"JSON：查询名 → 查询，一次至多 {MOST_QUERIES} 个",
        },
    )
    extend = Written(
        ma.fields.Nested(Extension),
        metadata={
            "type": "string",
            "example": '{"ids": ["91310115MA1K3XXXX0"], "properties": [{"id": "district"}]}',
            "description": "JSON：企业代码和要取的属性",
        },
    )


class OneOfTwo(Asked):
    @ma.validates_schema
    def one_of_two(self, data: dict[str, Any], **_: Any) -> None:
        if ("queries" in data) == ("extend" in data):
            raise ma.ValidationError(
                said("F011", "queries 和 extend 要写且只写一个", "give either queries or extend"), "queries"
            )


class Prefix(Lenient):
    prefix = ma.fields.String(
        load_default="", validate=ma.validate.Length(max=200), metadata={"example": "警松"}
    )
    cursor = ma.fields.Integer(
        load_default=0, validate=ma.validate.Range(0, 90), metadata={"description": "跳过前几个"}
    )


class TypeQuery(Lenient):
    type = ma.fields.String(load_default="firm", validate=ma.validate.Length(max=100))


class IdQuery(Lenient):
    id = ma.fields.String(
        required=True, validate=ma.validate.Length(1, 64), metadata={"example": "91310115MA1K3XXXX0"}
    )


class Reconciled(ma.Schema):
    """By shape what was asked for: the manifest, a result for each query by its name, or meta and rows."""

    class Meta:
        unknown = ma.INCLUDE


class Described(ma.Schema):
    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    description = ma.fields.String()


class Suggested(ma.Schema):
    result = ma.fields.List(ma.fields.Nested(Described), required=True)


class Proposed(ma.Schema):
    type = ma.fields.String(required=True)
    properties = ma.fields.List(ma.fields.Nested(Described), required=True)


class TicketOrder(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    hours = ma.fields.Integer(
        load_default=12,
        validate=ma.validate.Range(1, MOST_HOURS),
        metadata={"example": 8, "description": f"有效几个小时，至多 {MOST_HOURS}"},
    )


class TicketShown(ma.Schema):
    url = ma.fields.String(required=True, metadata={"description": "填进 OpenRefine 的地址；当密钥一样保管"})
    expires_at = ma.fields.DateTime(required=True)
