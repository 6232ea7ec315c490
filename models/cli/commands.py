"""The ``tidui`` command and what becomes of its errors.

Exit codes: 0 done; 1 no row could be read (``score``) or rules do not hold together (``rules check``);
2 the command was wrongly called; 3 the file was refused; 4 the result could not be written;
70 a fault in tidui itself; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import io
import os
import sys

import click

from models.cli.explain import explain
from models.cli.files import synth, template
from models.cli.gap import gap
from models.cli.rules import rules
from models.cli.score import score
from models.errors import FileRefused, OutputRefused, RulesRefused, TiduiError
from models.tabular.output import sigterm_as_interrupt

EXIT_CODES: tuple[tuple[type[TiduiError], int], ...] = (
    (FileRefused, 3),
    (OutputRefused, 4),
    (RulesRefused, 1),
)
USAGE, UNFORESEEN, INTERRUPTED = 2, 70, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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


for command in (score, explain, gap, template, rules, synth):
    cli.add_command(command)


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
