"""``/v1/uploads``: a file is received, checked, mapped, confirmed; its error workbook; deleting it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from flask import Response, send_file

from models.errors import Text, TiduiError
from models.forms import both
from models.registry.importing import check_dated
from models.store import store_of
from models.uploads.check import error_book_state
from models.uploads.confirm import confirm
from models.uploads.left_over import clear_left_over
from models.uploads.mapping import complaints, map_columns
from models.uploads.receive import keep
from models.uploads.remove import delete_upload
from models.uploads.rows import STATUS_TEXTS, Upload, errors_key, find_upload, list_uploads, not_now
from service.auditing import actor, record
from service.districts import refuse_district_key
from service.extension import now, reading, stop_reading, tidui
from service.fields import FieldProblem, FieldsRefused
from service.idempotency import idempotent, once
from service.receiving import arriving
from service.schemas.uploads import (
    ConfirmOrder,
    MappingOrder,
    PreviewSchema,
    UploadPage,
    UploadQuery,
    UploadSchema,
    UploadsQuery,
    UploadWhole,
)
from service.security import caller, needs
from service.wire import Blueprint, answer
from service.work import give_out

blueprint = Blueprint("uploads", __name__, url_prefix="/v1/uploads", description="上传名册 Uploads")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FILE = {"type": "string", "format": "binary"}
BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {"type": "object", "required": ["file"], "properties": {"file": _FILE}}
        },
        "application/octet-stream": {"schema": _FILE},
    },
}


CONFLICT = {"409": {"$ref": "#/components/responses/H409"}}


class NotReady(TiduiError):
    """The error workbook is not there yet."""

    status = 503


@blueprint.post("")
@needs("upload")
@idempotent(streamed=True)
@blueprint.arguments(UploadQuery, location="query")
@blueprint.response(202, UploadSchema, description="已排队检查；进度见 Location。同样的内容就是先前那一份")
@blueprint.doc(requestBody=BODY)
def add_upload(query: dict[str, Any]) -> Response:
    """上传一份名册（.csv .xlsx .parquet，按内容识别）：202，检查报告见 Location Upload a file of firms

    表单里名为 file 的一项，或整个请求体（?name= 写文件名）。同一密钥、同一日期、同样的内容只算一次。
    名册是全市的，限区的密钥不能上传。
    """
    _for_the_city()
    kept = tidui()
    check_dated(query["dated"], now())
    clear_left_over(kept.database, kept.settings)
    with arriving(kept.settings, query.get("name")) as came:

        def take() -> Response:
            found = keep(
                kept.database, kept.settings, came.part, owner=_own(), name=came.name,
                dated=query["dated"], actor=actor(), now=now(),
            )  # fmt: skip
            if found.upload.status == "queued":
                give_out("upload_check", found.upload.id)
            return _accepted(found.upload)

        came.part.close()
        return once(came.part.sha256, take)


@blueprint.get("")
@needs("upload")
@blueprint.arguments(UploadsQuery, location="query")
@blueprint.response(200, UploadPage, description="新的在前 Newest first")
def read_uploads(query: dict[str, Any]) -> Response:
    """自己的上传，新的在前；带 admin 权限的看得到所有人的 One's own uploads, newest first"""
    _for_the_city()
    limit, after = query["limit"], query.get("cursor")
    found = list_uploads(reading(), _seen(), after=None if after is None else str(after), limit=limit + 1)
    cursor = found[limit - 1].id if len(found) > limit else None
    return answer({"uploads": [_shown(one) for one in found[:limit]], "cursor": cursor})


@blueprint.get("/<uuid:upload_id>")
@needs("upload")
@blueprint.response(200, UploadWhole)
def read_upload(upload_id: Any) -> Response:
    """状态和检查报告：每列当作什么、编码、计数、错误、与现行版本的差异 Status and check report"""
    one = _found(upload_id)
    record("upload.read", f"upload:{one.id}")
    return answer(_whole(one))


@blueprint.get("/<uuid:upload_id>/preview")
@needs("upload")
@blueprint.response(200, PreviewSchema)
@blueprint.doc(responses=CONFLICT)
def read_preview(upload_id: Any) -> Response:
    """前 20 行：原样与读出的结果 The first 20 rows, as written and as read"""
    one = _found(upload_id)
    if one.report is None:
        raise not_now(one.status)
    record("upload.preview", f"upload:{one.id}")
    header = [column["header"] for column in one.report["columns"]]
    return answer({"header": header, "rows": one.report["first_rows"]})


@blueprint.route("/<uuid:upload_id>/mapping", methods=["PUT"])
@needs("upload")
@blueprint.arguments(MappingOrder)
@blueprint.response(202, UploadWhole, description="重新检查 It is checked anew")
@blueprint.doc(responses=CONFLICT)
def put_mapping(order: dict[str, Any], upload_id: Any) -> Response:
    """手工指定各列是什么，随即重新检查；同一密钥下次沿用 Say what columns mean; remembered for next time"""
    one = _found(upload_id)
    headers = None if one.report is None else [column["header"] for column in one.report["columns"]]
    wrong = complaints(order["columns"], headers)
    if wrong:
        raise FieldsRefused([FieldProblem(_pointer(w.header), w.code, w.text) for w in wrong])
    stop_reading()
    kept = tidui()
    mapped = map_columns(
        kept.database, kept.settings, one.id, order["columns"], owner=_seen(), actor=actor(), now=now()
    )
    give_out("upload_check", mapped.id)
    return answer(_whole(mapped), 202)


@blueprint.post("/<uuid:upload_id>/confirm")
@needs("upload")
@idempotent()
@blueprint.arguments(ConfirmOrder)
@blueprint.response(202, UploadSchema, description="已排队导入；进度见 Location")
def confirm_upload(order: dict[str, Any], upload_id: Any) -> Response:
    """确认导入，成为现行版本；在导入完成之前企业库不变 Let it in: it becomes the active edition"""
    one = _found(upload_id)
    stop_reading()
    confirmed = confirm(tidui().database, one.id, order["mode"], owner=_seen(), actor=actor(), now=now())
    if confirmed.status == "confirmed":
        give_out("upload_import", confirmed.id)
    return _accepted(confirmed)


@blueprint.delete("/<uuid:upload_id>")
@needs("upload")
@blueprint.response(204)
@blueprint.doc(responses=CONFLICT)
def remove_upload(upload_id: Any) -> Response:
    """删除上传及其文件；开始导入之后不能删 Delete an upload with its files, before its import begins"""
    one = _found(upload_id)
    stop_reading()
    kept = tidui()
    delete_upload(kept.database, kept.settings, one.id, owner=_seen(), actor=actor(), now=now())
    return Response(status=204)


@blueprint.get("/<uuid:upload_id>/errors.xlsx")
@needs("upload")
@blueprint.response(200, description="原有各列，旁边是错误代码、说明、建议", content_type=XLSX)
@blueprint.doc(responses=CONFLICT)
def read_errors(upload_id: Any) -> Response:
    """错误表：改好标色的格子，可以原样重新上传 The error workbook: mend it and upload it as it is

    大文件的错误表在检查之后另外生成，未好时答 503 和 Retry-After。
    """
    one = _found(upload_id)
    if one.report is None:
        raise not_now(one.status)
    kept = tidui()
    state = error_book_state(reading(), kept.settings, one)
    if state != "there":
        if state == "wanted":
            give_out("upload_errors", one.id)
        raise _not_ready(given_up=state == "given_up")
    record("upload.errors", f"upload:{one.id}")
    path = store_of(kept.settings).fetch(errors_key(one.id))
    name = f"{PurePath(one.name).stem}_错误报告.xlsx"
    return send_file(path, mimetype=XLSX, as_attachment=True, download_name=name, etag=False, max_age=None)


def _for_the_city() -> None:
    refuse_district_key(
        "名册是全市的，限区的密钥不能上传", "a registry is of the whole city: a district's key cannot upload"
    )


def _own() -> str:
    return f"key:{caller().id}"


def _seen() -> str | None:
    """Whose uploads the caller sees; None: everybody's."""
    return None if "admin" in caller().scopes else _own()


def _found(upload_id: Any) -> Upload:
    _for_the_city()
    return find_upload(reading(), str(upload_id), _seen())


def _accepted(one: Upload) -> Response:
    return answer(_shown(one), 202, headers={"Location": f"/v1/uploads/{one.id}"})


def _shown(one: Upload) -> dict[str, Any]:
    own = f"/v1/uploads/{one.id}"
    return {
        "id": one.id, "name": one.name, "owner": one.owner, "size": one.size, "sha256": one.sha256,
        "dated": one.dated, "status": one.status, "status_text": both(STATUS_TEXTS[one.status]),
        "mode": one.mode, "problem": one.problem, "edition": one.edition_id,
        "received_at": one.received_at, "checked_at": one.checked_at, "ended_at": one.ended_at,
        "links": {"self": own, "preview": f"{own}/preview", "mapping": f"{own}/mapping",
                  "confirm": f"{own}/confirm", "errors": f"{own}/errors.xlsx"},
    }  # fmt: skip


def _whole(one: Upload) -> dict[str, Any]:
    kept_back = {"first_rows", "choices"}
    report = one.report and {name: part for name, part in one.report.items() if name not in kept_back}
    return {**_shown(one), "mapping": one.mapping, "report": report}


def _pointer(header: str) -> str:
    return "/columns/" + header.replace("~", "~0").replace("/", "~1")[:100]


def _not_ready(*, given_up: bool) -> TiduiError:
    if given_up:
        return TiduiError("U501", Text("错误表没能生成", "the error workbook could not be made"))
    return NotReady("U503", Text("错误表正在生成", "the error workbook is being made"))
