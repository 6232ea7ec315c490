"""Days: which one it is, and that what is said is not said of one to come."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from models.errors import Text, UsageRefused

SHANGHAI = ZoneInfo("Asia/Shanghai")


def this_day(now: datetime) -> date:
    """The day it is where the firms are: till eight in the morning it is still yesterday in UTC."""
    return now.astimezone(SHANGHAI).date()


def check_dated(dated: date, now: datetime) -> None:
    """A file cannot speak of a day to come: UsageRefused (G005)."""
    if dated > this_day(now):
        raise UsageRefused(
            "G005",
            Text(f"数据日期 {dated} 还没到", f"the date {dated} lies in the future"),
            Text("--dated 写这份数据截至的日期", "--dated is the day the figures speak of"),
        )


def check_as_of(as_of: date | None, now: datetime) -> None:
    """Where firms stand now cannot be judged for a day to come: UsageRefused (G005)."""
    if as_of is not None and as_of > this_day(now):
        raise UsageRefused(
            "G005",
            Text(f"评估日期 {as_of} 还没到", f"the evaluation date {as_of} lies in the future"),
            Text(
                "企业库的评估日期最晚写今天；将来的某天用 tidui score --as-of 试算",
                "The registry is judged for today or before; tidui score --as-of tries a later day",
            ),
        )
