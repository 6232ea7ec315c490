"""Why a firm was found, in a sentence."""

from __future__ import annotations

from models.errors import Text
from models.registry.search.judge import Kind

_REASONS = {
    Kind.CODE: Text("统一社会信用代码一致", "the code is the same"),
    Kind.NAME: Text("名称一致", "the name is the same"),
    Kind.CORE: Text(
        "除地名和组织形式外名称一致：“{core}”",
        "the same name but for place and legal form: “{core}”",
    ),
    Kind.FORMER: Text("曾用名“{name}”与之一致", "the former name “{name}” is the same"),
    Kind.CODE_START: Text("代码以“{asked}”开头", "the code begins with “{asked}”"),
    Kind.CODE_PART: Text("代码含“{asked}”", "the code contains “{asked}”"),
    Kind.PREFIX: Text("名称以“{asked}”开头", "the name begins with “{asked}”"),
    Kind.PART: Text("名称含“{asked}”", "the name contains “{asked}”"),
    Kind.FORMER_PART: Text("曾用名“{name}”含“{asked}”", "the former name “{name}” contains “{asked}”"),
    Kind.SOUND: Text("“{name}”读音相符", "“{name}” is read like this"),
    Kind.INITIALS: Text("“{name}”的拼音首字母相符", "“{name}” has these initials in pinyin"),
    Kind.INITIALS_PART: Text("“{name}”的拼音首字母中含有", "among the pinyin initials of “{name}”"),
    Kind.SIMILAR_CODE: Text(
        "与代码“{name}”只差{steps}位", "{steps} character(s) away from the code “{name}”"
    ),
}
_ONE_AWAY = Text("与“{name}”只差一个字", "one character away from “{name}”")
_ALIKE = Text("与“{name}”相近", "like “{name}”")
_MENDED = Text(
    "代码“{asked}”中的字母按易混的数字理解", "letters of “{asked}” were read as the digits they look like"
)
LISTED = Text("未输入查询词，按代码排列", "nothing was asked for: listed by code")


def reason(kind: Kind, *, asked: str, name: str, core: str) -> Text:
    """Of any kind but the similar ones."""
    return _REASONS[kind].format(asked=asked, name=name, core=core)


def similar_reason(name: str, steps: int) -> Text:
    return (_ONE_AWAY if steps == 1 else _ALIKE).format(name=name)


def similar_code_reason(code: str, steps: int) -> Text:
    return _REASONS[Kind.SIMILAR_CODE].format(name=code, steps=steps)


def mended_reason(asked: str) -> Text:
    return _MENDED.format(asked=asked)
