"""Pieces that requests and answers about firms and standards share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import marshmallow as ma

from models.assessing import FIRST_YEAR, LAST_YEAR
from models.errors import Text
from service.fields import FieldProblem, FieldsRefused, said

USCC = "91310115MA1K3XXXX0"
HASH = "9c1f0e7a52d4b8369c1f0e7a52d4b8369c1f0e7a52d4b8369c1f0e7a52d4b836"
_ID = re.compile(r"[a-z0-9_.]{1,60}")
MOST_STANDARDS = 60
LEAST_REASON, MOST_REASON = 2, 500


class Strict(ma.Schema):
    """A request: what it does not know it refuses."""

    class Meta:
        unknown = ma.RAISE


class Written(ma.validate.Regexp):
    """A pattern, and in words how the value is to be written (F010)."""

    def __init__(self, pattern: str, zh: str, en: str) -> None:
        super().__init__(pattern)
        self._said = said("F010", zh, en)

    def __call__(self, value: Any) -> Any:
        try:
            return super().__call__(value)
        except ma.ValidationError as error:
            raise ma.ValidationError(self._said) from error


def code_written() -> Written:
    return Written(
        r"[0-9A-Z]{18}\Z",
        "应为 18 位统一社会信用代码",
        "must be a unified social credit code of 18 characters",
    )


class IdList(ma.fields.Field[Sequence[str]]):
    """``srdi.n2,giant.n2``: ids between commas, each once, in the order given."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **options: Any) -> Any:
        return None if value is None else ",".join(value)

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Sequence[str]:
        given = [part.strip() for part in str(value).split(",")]
        ids = tuple(dict.fromkeys(part for part in given if part))
        if not ids or len(ids) > MOST_STANDARDS or not all(_ID.fullmatch(part) for part in ids):
            raise ma.ValidationError(
                said(
                    "F110",
                    "应为标准编号，用逗号分开，如 srdi.n2,giant.n2",
                    "must be ids of standards between commas, such as srdi.n2,giant.n2",
                )
            )
        return ids


def as_of_field(*, required: bool = True) -> ma.fields.Date:
    """The evaluation date is always said; only the command line may take today's."""
    return ma.fields.Date(
        required=required,
        validate=ma.validate.Range(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)),
        metadata={
            "pattern": "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$",
            "example": "2026-06-30",
            "description": "评估日期 Evaluation date",
        },
    )


def kind_field() -> ma.fields.String:
    return ma.fields.String(
        load_default="new",
        validate=ma.validate.OneOf(["new", "review"]),
        metadata={"example": "new", "description": "new 新申报，review 复核 New application or re-review"},
    )


def standards_field() -> IdList:
    return IdList(
        load_default=None,
        metadata={
            "type": "string",
            "pattern": "^[a-z0-9_.]{1,60}(,[a-z0-9_.]{1,60})*$",
            "example": "srdi.n2,giant.n2",
            "description": "标准编号，逗号分开；不写为全部。编号见 GET /v1/standards",
        },
    )


def hash_field(**options: Any) -> ma.fields.String:
    return ma.fields.String(
        validate=Written(
            r"[0-9a-f]{64}\Z",
            "应为 64 位十六进制的规则哈希，见 GET /v1/rulebooks/current",
            "must be the 64 hex digits of a rulebook; see GET /v1/rulebooks/current",
        ),
        metadata={"example": HASH, "description": "规则哈希；不写为现行规则 Hash of a rulebook"},
        **options,
    )


def both_field(**options: Any) -> ma.fields.Dict:
    """A sentence in both languages."""
    options.setdefault("metadata", {"example": {"zh": "2025年营业收入", "en": "revenue 2025"}})
    return ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), **options)


def refuse(pointer: str, code: str, zh: str, en: str) -> FieldsRefused:
    """One field that cannot be used as it stands; raise it."""
    return FieldsRefused([FieldProblem(pointer, code, Text(zh, en))])


def reason_field(example: str) -> ma.fields.String:
    """Why somebody changes or decides something: it is audited."""
    return ma.fields.String(
        required=True,
        validate=_enough,
        metadata={
            "minLength": LEAST_REASON,
            "maxLength": MOST_REASON,
            "example": example,
            "description": "理由，至少 2 个字",
        },
    )


def _enough(reason: str) -> None:
    if not LEAST_REASON <= len(reason.strip()) <= MOST_REASON:
        raise ma.ValidationError(said("F111", "理由应为 2～500 个字", "the reason is 2 to 500 characters"))
