"""Which column a published list speaks of: a title's last day, or a membership."""

from __future__ import annotations

from collections.abc import Mapping

from models.errors import Text, UsageRefused
from models.fields import catalogue

NONE = "none"
"""External form of 无: holds no such title."""


def _columns() -> dict[str, str]:
    prefix, suffix = "title_", "_until"
    titles = {f.key[len(prefix) : -len(suffix)]: f.key for f in catalogue() if f.type == "title"}
    members = {f.key.removeprefix("member_"): f.key for f in catalogue() if f.key.startswith("member_")}
    return titles | members


COLUMNS: Mapping[str, str] = _columns()
"""Title → column: ``giant`` → ``title_giant_until``, ``dragonhead`` → ``member_dragonhead``."""

MEMBER = frozenset(column for column in COLUMNS.values() if column.startswith("member_"))
"""Columns that say yes or no, not until when."""

NOT_HELD: Mapping[str, object] = {column: False if column in MEMBER else NONE for column in COLUMNS.values()}
"""What a complete list says of a firm that is not on it."""


def title_column(title: str) -> str:
    """The column of a title; UsageRefused (G011) for an unknown one."""
    if title not in COLUMNS:
        known = "、".join(COLUMNS)
        raise UsageRefused(
            "G011",
            Text(f"没有名单种类“{title}”", f"there is no kind of list “{title}”"),
            Text(f"可选：{known}", f"Choose from: {', '.join(COLUMNS)}"),
        )
    return COLUMNS[title]
