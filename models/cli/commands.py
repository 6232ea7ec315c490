"""The ``tidui`` command and what becomes of its errors.

Exit codes: 0 done; 1 no row could be read (``score``) or rules do not hold together (``rules check``);
2 the command was wrongly called; 3 the file was refused; 4 the result could not be written;
70 a fault in tidui itself; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from importlib.metadata import entry_points

import click

from models.errors import FileRefused, OutputRefused, RulesRefused, TiduiError
from models.tabular.output import sigterm_as_interrupt

EXIT_CODES: tuple[tuple[type[TiduiError], int], ...] = (
    (FileRefused, 3),
    (OutputRefused, 4),
    (RulesRefused, 1),
)
USAGE, UNFORESEEN, INTERRUPTED = 2, 70, 130

COMMANDS = {
    "score": "models.cli.score",
    "explain": "models.cli.explain",
    "gap": "models.cli.gap",
    "template": "models.cli.files",
    "rules": "models.cli.rules",
    "synth": "models.cli.files",
    "train": "models.cli.learn",
    "evaluate": "models.cli.learn",
    "predict": "models.cli.learn",
    "models": "models.cli.models",
    "reviews": "models.cli.reviews",
    "registry": "models.cli.registry",
    "keys": "models.cli.keys",
    "users": "models.cli.users",
    "audit": "models.cli.audit",
    "check": "models.cli.check",
    "impact": "models.cli.impact",
    "doctor": "models.cli.doctor",
}
"""Command → the module it stands in."""
PLUGINS = "tidui.commands"
"""Entry points of what stands above the models (``serve``), which models must not import."""


class _Commands(click.Group):
    """Loads a command when it is asked for: none waits for what only another needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*COMMANDS, *entry_points(group=PLUGINS).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command: click.Command | None = None
        if cmd_name in COMMANDS:
            command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        else:
            command = next((plugin.load() for plugin in entry_points(group=PLUGINS, name=cmd_name)), None)
        return command


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="tidui")
def cli() -> None:
    """梯队：企业站在哪一级、为什么、怎样更上一级。预评估，不构成认定。

    Where a firm stands on Shanghai's enterprise ladder, why, and what would move it up.

    \b
    退出码 Exit codes:
      0 完成 done
      1 没有一行能读出；规则包有错 no row could be read; rule packs do not hold together
      2 用法不对 wrongly called
      3 文件被拒绝 the file was refused
      4 结果写不出 the result could not be written
      70 程序自身出错 a fault in tidui itself
      130 被中断 stopped by Ctrl-C
    """


def main() -> None:
    """Run the command; every refusal is a message on stderr and an exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a GBK console has no ✓: better a ? than a stop
            stream.reconfigure(errors="replace")
    try:
        with sigterm_as_interrupt():
            code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("已中断，没有写出结果。 Stopped; no result was written.", err=True)
        sys.exit(INTERRUPTED)
    except TiduiError as error:
        click.echo(str(error), err=True)
        sys.exit(next((code for kind, code in EXIT_CODES if isinstance(error, kind)), USAGE))
    except BrokenPipeError:
        # The reader of our output has gone (``tidui rules show … | head``).
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        if os.environ.get("TIDUI_DEBUG"):
            raise
        click.echo(_unforeseen(error), err=True)
        sys.exit(UNFORESEEN)
    sys.exit(code if isinstance(code, int) else 0)


def _unforeseen(error: Exception) -> str:
    said = str(error).splitlines()[0] if str(error) else ""
    return (
        f"程序出错，没有写出结果：{type(error).__name__}: {said}\n"
        "A fault in tidui; no result was written.\n"
        "  → 设环境变量 TIDUI_DEBUG=1 再运行一次，把显示的内容发给维护者\n"
        "  → Run it again with TIDUI_DEBUG=1 and send what is shown to the maintainers"
    )
