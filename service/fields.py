"""What is wrong with single fields of a request: a JSON pointer, a stable code, a sentence in both languages.

marshmallow's English messages are turned into these by pattern. A schema with a complaint of its own raises
``ValidationError(said("F101", "应为…", "must be…"))``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import Text, TiduiError

_BROKEN = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class FieldProblem:
    """``pointer``: ``/firms/3`` in a body; ``query:as_of``, ``path:uscc``, ``header:If-Match`` elsewhere."""

    pointer: str
    code: str
    text: Text

    @property
    def plain(self) -> dict[str, Any]:
        return {
            "pointer": self.pointer,
            "code": self.code,
            "detail": {"zh": self.text.zh, "en": self.text.en},
        }


class FieldsRefused(TiduiError):
    """The request can be read, but fields of it cannot be used (R422)."""

    status = 422

    def __init__(self, problems: Sequence[FieldProblem], message: Text | None = None) -> None:
        count = len(problems)
        super().__init__(
            "R422",
            message or Text(f"有 {count} 处填写有误", f"{count} fields cannot be used as they stand"),
            Text("按 errors 逐项改正后再提交", "Mend what errors lists and send it again"),
        )
        self.problems = tuple(problems)


class _Said(str):
    text: Text
    code: str


def said(code: str, zh: str, en: str) -> str:
    """A message for ``marshmallow.ValidationError`` that keeps its code and both languages."""
    message = _Said(en)
    message.code, message.text = code, Text(zh, en)
    return message


_TABLE: tuple[tuple[str, str, str, str], ...] = (
    ("Missing data for required field.", "F001", "必须填写", "is required"),
    ("Unknown field.", "F002", "没有这个字段", "there is no such field"),
    ("Field may not be null.", "F004", "不能为 null", "may not be null"),
    ("Invalid input type.", "F003", "应为 JSON 对象", "must be an object"),
    ("Invalid type.", "F003", "应为 JSON 对象", "must be an object"),
    ("Not a valid mapping type.", "F003", "应为 JSON 对象", "must be an object"),
    ("Not a valid list.", "F003", "应为数组", "must be an array"),
    ("Not a valid string.", "F003", "应为文字", "must be a string"),
    ("Not a valid integer.", "F003", "应为整数", "must be a whole number"),
    ("Not a valid number.", "F003", "应为数字", "must be a number"),
    ("Number too large.", "F003", "数字过大", "the number is too large"),
    ("Special numeric values (nan or infinity) are not permitted.", "F003", "应为数字", "must be a number"),
    ("Not a valid boolean.", "F003", "应为 true 或 false", "must be true or false"),
    ("Not a valid date.", "F005", "应为日期，写成 2026-06-30", "must be a date such as 2026-06-30"),
    ("Not a valid datetime.", "F005", "应为时间", "must be a time"),
    ("Not a valid aware datetime.", "F005", "应为带时区的时间", "must be a time with its zone"),
    ("Not a valid UUID.", "F005", "应为 UUID", "must be a UUID"),
    ("Must be one of: {choices}.", "F007", "只能是：{choices}", "must be one of: {choices}"),
    ("Shorter than minimum length {min}.", "F008", "至少 {min} 个", "at least {min} long"),
    ("Longer than maximum length {max}.", "F008", "至多 {max} 个", "at most {max} long"),
    ("Length must be between {min} and {max}.", "F008", "长度应为 {min}～{max}", "{min} to {max} long"),
    ("Length must be {equal}.", "F008", "长度应为 {equal}", "must be {equal} long"),
    (
        "Must be greater than or equal to {min} and less than or equal to {max}.",
        "F009", "应在 {min}～{max} 之间", "must be {min} to {max}",
    ),
    ("Must be greater than or equal to {min}.", "F009", "不能小于 {min}", "must be at least {min}"),
    ("Must be less than or equal to {max}.", "F009", "不能大于 {max}", "must be at most {max}"),
    ("String does not match expected pattern.", "F010", "写法不对", "is not written as it should be"),
)  # fmt: skip


def _pattern(message: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.*)", re.escape(message)), re.DOTALL)


_PATTERNS = tuple((_pattern(message), code, zh, en) for message, code, zh, en in _TABLE)
_PREFIX = {"json": "", "json_or_form": "", "form": "form:", "files": "form:", "query": "query:",
           "querystring": "query:", "path": "path:", "view_args": "path:", "headers": "header:"}  # fmt: skip


def field_problems(messages: Mapping[str, Any]) -> list[FieldProblem]:
    """webargs' messages, by location, as field problems in the order of the request's schema."""
    found: list[FieldProblem] = []
    for location, below in messages.items():
        prefix = _PREFIX.get(location)
        if prefix is None:
            found.extend(_walk(below, "/" + _step(location)))
        elif prefix == "":
            found.extend(_walk(below, ""))
        else:
            found.extend(FieldProblem(prefix + p.pointer[1:], p.code, p.text) for p in _walk(below, ""))
    return found


def _walk(messages: Any, pointer: str) -> Iterator[FieldProblem]:
    if isinstance(messages, Mapping):
        for name, below in messages.items():
            # marshmallow puts what concerns the whole under _schema, and what a mapping's value under "value"
            yield from _walk(below, pointer if name == "_schema" else f"{pointer}/{_step(str(name))}")
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield from _walk(message, pointer)
    else:
        yield _problem(pointer, messages)


def _problem(pointer: str, message: Any) -> FieldProblem:
    if isinstance(message, _Said):
        return FieldProblem(pointer, message.code, message.text)
    text = str(message)
    for pattern, code, zh, en in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            return FieldProblem(pointer, code, Text(zh, en).format(**match.groupdict()))
    return FieldProblem(pointer, "F000", Text("不能这样填", text))


def _step(name: str) -> str:
    """One step of a JSON pointer (RFC 6901), always printable."""
    return _BROKEN.sub("�", name).replace("~", "~0").replace("/", "~1")[:100]
