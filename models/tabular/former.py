"""曾用名: names a firm bore before. A column of identity that is no field: nothing is judged by it.

It is not in the catalogue, which is the contract's; scoring passes it over in silence, the registry keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from models.fields import Field
from models.tabular.cells import Cell, read_name

FORMER_NAME = Field(
    key="former_name",
    header_zh="曾用名",
    header_en="former names",
    type="text",
    unit="",
    yearly=False,
    when_missing="unknown",
    note="",
    synonyms=("曾用名称", "企业曾用名", "单位曾用名", "曾用企业名称", "原名", "原企业名称", "former_names"),
)

JOINED = "；"
"""Between several names, as they are kept."""
# A comma before Ltd and its like stands within a name.
_SEPARATORS = re.compile(r"[;；、，|\n\r]+|,(?!\s*(?:ltd|inc|llc|llp|co)\b)", re.IGNORECASE)


def read_former(text: str) -> Cell:
    """Names with ``；`` between them, each once; None where there is none."""
    names = (read_name(part).value for part in _SEPARATORS.split(text))
    found = list(dict.fromkeys(str(name) for name in names if name is not None and name != "无"))
    return Cell(JOINED.join(found) or None)


def split_former(joined: str | None) -> Iterable[str]:
    """The names of a cell that :func:`read_former` has read."""
    return joined.split(JOINED) if joined else ()
