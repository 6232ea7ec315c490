"""The OpenAPI 3.1 document: flask-smorest's, with problem+json for every refusal and the keys it asks for.

``python -m service.openapi`` rewrites the committed copy, docs/openapi.json.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import flask_smorest  # type: ignore[import-untyped]
import marshmallow as ma
from flask import Flask

from models.settings import Settings
from service.problems import MEDIA_TYPE
from service.security import Mark, marks_of, view_of

COPY = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"
DESCRIPTION = """\
查一家企业在上海企业梯队里站在哪一级、为什么、怎样更上一级；核对券和奖励的资格。**预评估，不构成认定。**

每次调用带 `Authorization: Bearer tdk_…`；查询企业请在 `X-Purpose` 里写明用途（百分号编码的 UTF-8）。
出错时一律答 `application/problem+json`：`code` 稳定，`errors` 逐字段说明，
见 [/docs/problems](/docs/problems)。

Where a firm stands on Shanghai's enterprise ladder, why, and what would move it up; who is eligible
for a voucher. A pre-assessment, not a recognition. Send `Authorization: Bearer tdk_…`,
and why you ask in `X-Purpose`.
"""
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "重试同一请求时用同一个键，就不会重复办理 The same key when the same call is tried again",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "example": "7c9f4b60-2f0e-4f0b-8f43-0d5a3c1c9f10",
    },
}
REFUSALS = {
    "400": "请求读不懂 The request cannot be read",
    "401": "没有密钥，或密钥不对、过期、被撤销 No key, or one that does not hold",
    "403": "密钥没有所需的权限 The key lacks the scope",
    "404": "没有，或不在密钥所限的区 Not there, or of a district the key does not see",
    "405": "不支持这个方法 Method not allowed",
    "409": "与现状冲突 In conflict with what is there",
    "412": "期间已被改动 It was changed in the meantime",
    "413": "请求体过大 The body is too large",
    "415": "请求体应为 JSON The body is not JSON",
    "422": "有字段不能用 Fields that cannot be used",
    "428": "需要 If-Match  If-Match is needed",
    "429": "过于频繁 Too many requests",
    "503": "暂时不能用 Away for now",
}


class FieldProblemSchema(ma.Schema):
    pointer = ma.fields.String(
        metadata={"example": "/firms/3", "description": "JSON 指针；网址参数写作 query:名"}
    )
    code = ma.fields.String(metadata={"example": "F001"})
    detail = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.String(),
        metadata={"example": {"zh": "必须填写", "en": "is required"}},
    )


class ProblemSchema(ma.Schema):
    """RFC 9457, with a stable code and both languages."""

    type = ma.fields.String(required=True, metadata={"example": "/docs/problems#R422"})
    title = ma.fields.String(required=True, metadata={"example": "有字段不能用"})
    title_en = ma.fields.String(required=True, metadata={"example": "Fields that cannot be used"})
    status = ma.fields.Integer(required=True, metadata={"example": 422})
    code = ma.fields.String(required=True, metadata={"example": "R422"})
    detail = ma.fields.String(required=True, metadata={"example": "有 1 处填写有误"})
    detail_en = ma.fields.String(required=True, metadata={"example": "1 fields cannot be used as they stand"})
    hint = ma.fields.String(required=True, metadata={"example": "按 errors 逐项改正后再提交"})
    hint_en = ma.fields.String(
        required=True, metadata={"example": "Mend what errors lists and send it again"}
    )
    instance = ma.fields.String(required=True, metadata={"example": "/v1/firms/match"})
    trace_id = ma.fields.String(required=True, metadata={"example": "5f0c…"})
    place = ma.fields.String()
    errors = ma.fields.List(ma.fields.Nested(FieldProblemSchema))


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest without its error handler: service.problems answers for the whole application."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        return

    def _register_responses(self) -> None:
        self.spec.components.schema("Problem", schema=ProblemSchema)
        for status, said in REFUSALS.items():
            content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            self.spec.components.response(f"H{status}", {"description": said, "content": content})


def make_api(app: Flask) -> Api:
    app.config.update(
        API_TITLE="梯队 tidui",
        API_VERSION=version("tidui"),
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {
                "description": DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/", "description": "本机 this server"}],
        },
    )
    api = Api(app)
    schemes = api.spec.components
    schemes.security_scheme(
        "key",
        {"type": "http", "scheme": "bearer", "description": "API 密钥 tdk_…，由 tidui keys create 发放"},
    )
    schemes.security_scheme(
        "basic", {"type": "http", "scheme": "basic", "description": "密钥作口令，用户名随意；只供 OpenRefine"}
    )
    app.extensions["tidui-api"] = api
    return api


def document(app: Flask) -> dict[str, Any]:
    """The whole document, every operation with its scope and the refusals it can meet."""
    spec: dict[str, Any] = app.extensions["tidui-api"].spec.to_dict()
    _mend_patterns(spec)
    for path, method, mark, view in _operations(app):
        operation = spec["paths"].get(path, {}).get(method)
        if operation is not None:
            _complete(operation, mark, getattr(view, "tidui_idempotent", None))
    return spec


def _complete(operation: dict[str, Any], mark: Mark, idempotent: str | None) -> None:
    statuses = ["400", "404", "405", "413", "415", "422", "503"]
    if mark.scope is None:
        operation["security"] = []
    else:
        statuses += ["401", "403", "429"]
        without: list[dict[str, list[str]]] = [{}] if mark.asking else []
        operation["security"] = [{"key": []}, *([{"basic": []}] if mark.basic else []), *without]
        operation["x-scope"] = mark.scope
    if idempotent:
        statuses.append("409")
        header = {**IDEMPOTENCY_KEY, "required": idempotent == "required"}
        operation.setdefault("parameters", []).append(header)
    responses = operation.setdefault("responses", {})
    for status in sorted(statuses):
        if "content" not in responses.get(status, {}):  # flask-smorest names a 422 of its own
            responses[status] = {"$ref": f"#/components/responses/H{status}"}


def _mend_patterns(node: Any) -> None:
    """Python's way of anchoring a pattern is not that of JSON Schema (ECMA 262)."""
    if isinstance(node, dict):
        pattern = node.get("pattern")
        if isinstance(pattern, str) and pattern.endswith(r"\Z"):
            node["pattern"] = f"^(?:{pattern.replace(chr(92) + 'Z', '')})$"
        for below in node.values():
            _mend_patterns(below)
    elif isinstance(node, list):
        for below in node:
            _mend_patterns(below)


def _operations(app: Flask) -> list[tuple[str, str, Mark, Any]]:
    marks = marks_of(app)
    found = []
    for rule in app.url_map.iter_rules():
        path = "".join(f"{{{text}}}" if dynamic else text for dynamic, text in rule._trace).lstrip("|")
        found += [
            (path, method.lower(), mark, view_of(app, name, method))
            for (name, method), mark in marks.items()
            if name == rule.endpoint
        ]
    return found


def write_copy() -> None:
    """Rewrite docs/openapi.json. Needs neither database nor Redis."""
    from service.app import create_app  # noqa: PLC0415  (which imports this module)

    settings = Settings(data=Path("data"), database_url="sqlite:///:memory:", redis_url=None)
    text = json.dumps(document(create_app(settings)), ensure_ascii=False, indent=1)
    COPY.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_copy()
