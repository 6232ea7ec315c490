"""``/v1/firms/{uscc}/peers``."""

from __future__ import annotations

import marshmallow as ma

from service.schemas.shared import HASH, Strict, as_of_field


class PeersQuery(Strict):
    as_of = as_of_field(required=False)


class PeersShown(ma.Schema):
    firm = ma.fields.Dict(required=True)
    as_of = ma.fields.Date(required=True)
    edition = ma.fields.String(required=True, metadata={"example": HASH})
    year = ma.fields.Integer(required=True, metadata={"description": "哪一年的数据"})
    sector = ma.fields.Dict(required=True, allow_none=True, metadata={"description": "行业门类"})
    industry = ma.fields.Dict(required=True, allow_none=True)
    size = ma.fields.Dict(required=True, metadata={"description": "国统字〔2017〕213号 的规模"})
    figures = ma.fields.List(
        ma.fields.Dict(),
        required=True,
        metadata={"description": "各项：数值、百分位（0～100）、同组家数、四分位数、同组怎样划的"},
    )
    note = ma.fields.Dict(required=True)
