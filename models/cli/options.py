"""Options that several commands share, and what they print for programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import click
import orjson

from models.rules.pack import KINDS

Command = Callable[..., Any]
FIRST_YEAR, LAST_YEAR = 2000, 2099
"""Years that canonical columns can name."""


def echo_json(answer: object) -> None:
    """An answer for programs, on standard output."""
    click.echo(orjson.dumps(answer, default=str, option=orjson.OPT_INDENT_2).decode())


class Day(click.ParamType[date]):
    """A date written 2026-06-30."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fail(f"“{value}”不是日期，请写成 2026-06-30。 Not a date; write 2026-06-30.", param, ctx)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.fail(
                f"评估日期应在 {FIRST_YEAR}～{LAST_YEAR} 年之间。 Between {FIRST_YEAR} and {LAST_YEAR}.",
                param,
                ctx,
            )
        return day


def as_of_option(command: Command) -> Command:
    return click.option(
        "--as-of", type=Day(), help="评估日期，默认今天。Evaluation date; today if not given."
    )(command)


def kind_option(command: Command) -> Command:
    return click.option(
        "--kind",
        type=click.Choice(KINDS),
        default="new",
        show_default=True,
        help="new 新申报，review 复核。New application or re-review.",
    )(command)


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="输出 JSON，供程序读取。JSON for programs.")(
        command
    )


def standards_option(command: Command) -> Command:
    return click.option(
        "--standards",
        metavar="ID,ID…",
        callback=lambda ctx, param, value: (
            [part.strip() for part in value.split(",") if part.strip()] if value else None
        ),
        help="只看这些标准。Only these standards.",
    )(command)


def day_or_today(as_of: date | None) -> date:
    """The command line, and only it, may take the current date; it says so."""
    if as_of is not None:
        return as_of
    today = date.today()
    click.echo(f"评估日期未指定，按今天 {today} 评估（--as-of 可改）。 As of today, {today}.", err=True)
    return today
