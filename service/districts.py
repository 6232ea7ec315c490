"""Which district a call is about: the one it names, within what its key may see."""

from __future__ import annotations

from models.errors import Text
from models.tabular.cells import read_district
from service.schemas.shared import refuse
from service.security import NotAllowed, caller


def asked_district(written: str | None) -> str | None:
    """Six digits, or None for the whole city. FieldsRefused (E213); NotAllowed (K403) if not its own."""
    own = caller().district
    if written is None:
        return own
    code = named_district(written)
    if own not in (None, code):
        raise NotAllowed(
            "K403",
            Text("这个密钥看不到别的区", "this key does not see other districts"),
            Text("去掉 district，或请管理员另发密钥", "Leave district out, or ask for another key"),
        )
    return code


def named_district(written: str) -> str:
    """The six digits of a district's name or code. FieldsRefused (E213)."""
    code = read_district(written).value
    if not isinstance(code, str):
        raise refuse(
            "query:district",
            "E213",
            "不认识的区名或行政区划代码，请填 浦东新区 或 310115",
            "not a known district; write its name or its six digits, such as 310115",
        )
    return code


def refuse_district_key(zh: str, en: str) -> None:
    """NotAllowed (K403) where the key is limited to a district: the call concerns the whole city."""
    if caller().district is not None:
        raise NotAllowed(
            "K403", Text(zh, en), Text("请管理员另发密钥", "Ask the administrator for another key")
        )
