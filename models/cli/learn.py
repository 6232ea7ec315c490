"""``tidui train``, ``evaluate`` and ``predict``: learn who is likely to get there, and say how well."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
import orjson
from rich.console import Console

from models.cli.learn_shown import scored_dict, show_notices, show_scored, show_test
from models.cli.options import FIRST_YEAR, LAST_YEAR, echo_json, json_option
from models.learn.predict import predict as run_predict
from models.learn.store import load, load_all
from models.learn.tasks import tasks
from models.rules.rulebook import rulebook

_YEAR = click.IntRange(FIRST_YEAR, LAST_YEAR)
_PATHS = click.Path(path_type=Path)


@click.command()
@click.argument("history", nargs=-1, required=True, type=_PATHS)
@click.option("--task", "name", required=True, type=click.Choice(list(tasks())), help="任务 What to learn")
@click.option(
    "--until", required=True, type=_YEAR, help="学到哪一年的结果（含） Last year of outcomes to learn from"
)
@click.option("-o", "--output", required=True, type=_PATHS, help="模型文件夹 Folder for the model")
@click.option(
    "-s",
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="随机种子 Same seed, same model",
)
@click.option(
    "--trained-on",
    type=click.DateTime(["%Y-%m-%d"]),
    help="写在卡上的日期，默认今天 Date on the card, today by default",
)
@json_option
def train(
    history: tuple[Path, ...],
    name: str,
    until: int,
    output: Path,
    seed: int,
    trained_on: date | None,
    as_json: bool,
) -> None:
    """从历史数据训练一个任务的模型。Train a model of one task from a history.

    HISTORY 是一张宽表，或每年一张表（几个文件，或放着它们的文件夹）。
    """
    # Loaded here: who only scores needs neither the plots nor what trains.
    from models.learn.filing import save  # noqa: PLC0415
    from models.learn.history import read_history  # noqa: PLC0415
    from models.learn.train import needed_fields  # noqa: PLC0415
    from models.learn.train import train as run_train  # noqa: PLC0415

    book, console = rulebook(), Console(stderr=True)
    read = read_history(history, needed_fields(name, book))
    show_notices(console, read.notices)
    day = date.today() if trained_on is None else date(trained_on.year, trained_on.month, trained_on.day)
    with console.status("正在训练 training …"):
        trained = run_train(read, name, until, book, day, seed)
    digest = save(trained, output)
    if as_json:
        echo_json({"hash": digest, **trained.card})
        return
    show_notices(console, trained.notices[len(read.notices) :])
    show_test(console, trained.card, trained.card["test"])
    console.print(
        f"模型：[bold]{output}[/bold]（{digest[:12]}），卡：{output / 'card.html'}",
        highlight=False,
        soft_wrap=True,
    )


@click.command()
@click.argument("model_dir", metavar="DIR", type=_PATHS)
@click.argument("history", nargs=-1, required=True, type=_PATHS)
@click.option("--year", required=True, type=_YEAR, help="检验哪一年的结果 Year whose outcomes to test on")
@click.option(
    "-s",
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="自助抽样的种子 Seed of the bootstrap",
)
@json_option
def evaluate(model_dir: Path, history: tuple[Path, ...], year: int, seed: int, as_json: bool) -> None:
    """用没学过的一年检验模型。Test a model on a year it has not learned from.

    结果也写进 DIR：evaluation-年份.json 和 .html。
    """
    from models.learn.history import read_history  # noqa: PLC0415
    from models.learn.pages import evaluation_page  # noqa: PLC0415
    from models.learn.testing import evaluated  # noqa: PLC0415
    from models.learn.train import needed_fields  # noqa: PLC0415

    book, console = rulebook(), Console(stderr=True)
    model = load(model_dir)
    read = read_history(history, needed_fields(model.task.id, book))
    show_notices(console, read.notices)
    with console.status("正在检验 testing …"):
        test = evaluated(model, read, year, book, seed)
    (model_dir / f"evaluation-{year}.json").write_bytes(orjson.dumps(test, option=orjson.OPT_INDENT_2))
    page = model_dir / f"evaluation-{year}.html"
    page.write_text(evaluation_page(model.card, test), encoding="utf-8")
    if as_json:
        echo_json(test)
        return
    show_test(console, model.card, test)
    console.print(f"检验报告：{page}", highlight=False, soft_wrap=True)


@click.command()
@click.argument("model_dir", metavar="DIR", type=_PATHS)
@click.argument("firms", type=_PATHS)
@click.option("-o", "--output", required=True, type=_PATHS, help="结果文件：.xlsx、.csv 或 .parquet")
@click.option(
    "--year",
    type=_YEAR,
    help="估计哪一年，默认为最后一年营收的下一年 Year to estimate; the one after the last revenue",
)
@json_option
def predict(model_dir: Path, firms: Path, output: Path, year: int | None, as_json: bool) -> None:
    """给一份企业表打分：谁可能走到那一步。Score a file of firms: who is likely to get there.

    DIR 是一个模型，或放着几个任务模型的文件夹（如 seeds/learning/models）。
    """
    models = load_all(model_dir)
    console = Console(stderr=True)
    with console.status("正在估计 scoring …") as status:
        report = run_predict(
            models, firms, output, rulebook(), year,
            lambda count: status.update(f"已估计 {count:,} 家 firms scored"),
        )  # fmt: skip
    if as_json:
        echo_json(scored_dict(report, report.drifts(models)))
    else:
        show_scored(console, report, report.drifts(models))
