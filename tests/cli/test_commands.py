"""The ``tidui`` command as a user meets it: results, messages, exit codes, and nothing half-written."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from models.rules.rulebook import rulebook
from models.seeds import seed

TIDUI = Path(sys.executable).with_name("tidui")
DEMO = seed("demo", "firms.csv")
DAY = ("--as-of", "2026-06-30")
LADDER = ["uscc", "name", "recognised", "qualifies", "could_reach"]


def tidui(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(TIDUI), *map(str, arguments)], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scored") / "demo.parquet"
    tidui("score", DEMO, "-o", out, *DAY)
    return out


def test_score_gives_the_contract_s_columns_in_its_order(scored: Path) -> None:
    expected = list(LADDER)
    for pack in rulebook():
        ends = [f"{pack.id}.low", f"{pack.id}.high"] if pack.card else []
        expected += [pack.id, *ends, f"{pack.id}.unmet", f"{pack.id}.open"]
    assert pl.read_parquet(scored).columns == [*expected, "error"]


def test_score_keeps_every_firm_in_order(scored: Path) -> None:
    firms = pl.read_csv(DEMO, infer_schema=False)
    assert pl.read_parquet(scored)["uscc"].to_list() == firms["uscc"].to_list()
    assert firms.height == 2000


def test_the_three_endings_hold_the_same(scored: Path, tmp_path: Path) -> None:
    for ending in ("csv", "xlsx"):
        tidui("score", DEMO, "-o", tmp_path / f"demo.{ending}", *DAY)
    frame = pl.read_parquet(scored)
    text = pl.read_csv(tmp_path / "demo.csv", infer_schema=False)
    assert (tmp_path / "demo.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert text.columns == frame.columns
    for column in ("srdi.n2", "srdi.n2.unmet", "srdi.n2.open", "qualifies", "techsme.n115.low"):
        assert text[column].fill_null("").to_list() == frame[column].cast(pl.String).to_list()
    sheet = pl.read_excel(
        tmp_path / "demo.xlsx", sheet_name="结果", engine="openpyxl", infer_schema_length=None
    )
    assert sheet["uscc"].to_list() == frame["uscc"].to_list()
    assert sheet["giant.n2"].to_list() == frame["giant.n2"].to_list()


def test_verdicts_and_their_lists_belong_together(scored: Path) -> None:
    frame = pl.read_parquet(scored)
    for pack in rulebook():
        if pack.size_table is not None:
            continue
        unmet, still_open = frame[f"{pack.id}.unmet"] != "", frame[f"{pack.id}.open"] != ""
        assert ((frame[pack.id] == "unmet") == unmet).all(), pack.id
        assert ((frame[pack.id] == "met") == (~unmet & ~still_open)).all(), pack.id


def test_only_the_standards_asked_for_in_the_order_asked(tmp_path: Path) -> None:
    out = tmp_path / "two.parquet"
    tidui("score", DEMO, "-o", out, *DAY, "--standards", "giant.n2, size.n300")
    wanted = ["giant.n2", "giant.n2.unmet", "giant.n2.open", "size.n300", "size.n300.unmet", "size.n300.open"]
    assert pl.read_parquet(out).columns == [*LADDER, *wanted, "error"]


def test_a_row_that_cannot_be_read_stands_in_the_result_with_its_error(tmp_path: Path) -> None:
    rows = [
        ["uscc", "name", "revenue_2025"],
        ["91310115MA1H7YNX2T"[:17], "甲", "100"],
        [_code(1), "NA", "abc"],
        [_code(1), "乙", "—"],
    ]
    out = tmp_path / "out.csv"
    done = tidui("score", write_csv(tmp_path / "in.csv", rows), "-o", out, *DAY)
    result = pl.read_csv(out, infer_schema=False)
    assert result["name"].to_list() == ["甲", "NA", "乙"]
    assert result["error"][0].startswith("E103")
    assert result["error"][1:].to_list() == [None, None]
    assert result["srdi.n2"].to_list()[0] is None
    assert result["srdi.n2"].to_list()[1:] != [None, None]
    issues = pl.read_csv(tmp_path / "out_错误.csv", infer_schema=False)
    assert set(issues["错误代码"]) == {"E103", "E106", "E201"}
    assert issues.filter(pl.col("错误代码") == "E106")["行号"].to_list() == ["3", "4"]
    assert issues.filter(pl.col("错误代码") == "E201")["原值"].to_list() == ["abc"]
    assert "E103" in done.stderr


def test_exit_1_only_if_no_row_could_be_read(tmp_path: Path) -> None:
    bad = write_csv(tmp_path / "bad.csv", [["uscc", "name"], ["123", "甲"], ["", "乙"]])
    tidui("score", bad, "-o", tmp_path / "out.csv", *DAY, code=1)
    assert pl.read_csv(tmp_path / "out.csv", infer_schema=False).height == 2


def test_a_clean_run_removes_the_errors_of_an_earlier_one(tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    write_csv(source, [["uscc", "name", "niche_years"], [_code(1), "甲", "十年"]])
    tidui("score", source, "-o", out, *DAY)
    assert (tmp_path / "out_错误.csv").exists()
    write_csv(source, [["uscc", "name", "niche_years"], [_code(1), "甲", "10"]])
    tidui("score", source, "-o", out, *DAY)
    assert not (tmp_path / "out_错误.csv").exists()


def test_the_date_is_todays_only_on_the_command_line_and_said(tmp_path: Path) -> None:
    said = tidui("score", DEMO, "-o", tmp_path / "out.parquet", "--standards", "lead.plan").stderr
    assert str(date.today()) in said


def test_a_file_of_older_years_says_so_and_names_a_date_that_fits(tmp_path: Path) -> None:
    rows = [
        ["uscc", "name", "industry", "revenue_2021", "main_revenue_2021"],
        [_code(1), "甲", "3911", "30000000", "30000000"],
        [_code(2), "乙", "3911", "1", "1"],
    ]
    source, out = write_csv(tmp_path / "in.csv", rows), tmp_path / "out.xlsx"
    said = tidui("score", source, "-o", out, *DAY).stderr
    assert "E310 文件里最新的年份是 2021 年，按 2026-06-30 评估需要 2025 年的数据" in said
    assert "试 --as-of 2022-06-30" in said
    assert "达标：规下 2（其中 2 家缺数据，定不了）" in said
    summary = [cell.value for cell in openpyxl.load_workbook(out)["汇总"]["A"]]
    assert any(str(value).startswith("E310") for value in summary)
    again = tidui("score", source, "-o", out, "--as-of", "2022-06-30", "--json")
    told = json.loads(again.stdout)
    assert (told["notices"], told["ladder"]["qualifies"]) == ([], {"0": 1, "1": 1})
    assert told["unsettled"] == {"recognised": 2}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["score", "没有.csv", "-o", "out.csv"], 3, "E011"),
        (["score", str(DEMO), "-o", "out.docx"], 2, "E404"),
        (["score", str(DEMO), "-o", "没有/out.csv"], 4, "E401"),
        (["score", str(DEMO), "-o", "out.csv", "--standards", "srdi.n9"], 2, "srdi.n9"),
        (["score", str(DEMO)], 2, "output"),
        (["score", str(DEMO), "-o", "out.csv", "--kind", "old"], 2, "old"),
        (["explain", str(DEMO), "没有这家"], 2, "E407"),
        (["explain", str(DEMO), "虚构"], 2, "E408"),
        (["rules", "show", "srdi.n9"], 2, "srdi.n9"),
    ],
)
def test_a_refusal_says_what_and_how_to_mend_it(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    done = subprocess.run(
        [str(TIDUI), *arguments, *DAY],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        encoding="utf-8",
    )
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_day_that_is_none_is_refused() -> None:
    done = subprocess.run(
        [str(TIDUI), "rules", "list", "--as-of", "june"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "2026-06-30" in done.stderr


def test_the_input_is_never_overwritten(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [["uscc", "name"], [_code(1), "甲"]])
    before = source.read_bytes()
    tidui("score", source, "-o", source, *DAY, code=2)
    assert source.read_bytes() == before


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing(tmp_path: Path, sent: signal.Signals) -> None:
    many = tmp_path / "many.parquet"
    frame = pl.read_csv(DEMO, infer_schema=False)
    pl.concat([frame] * 500).write_parquet(many)
    process = subprocess.Popen(
        [str(TIDUI), "score", str(many), "-o", str(tmp_path / "out.parquet"), *DAY],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out.parquet*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said.decode()
    assert b"Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["many.parquet"]


def test_explain_shows_the_tree_and_json_says_the_same() -> None:
    code = pl.read_csv(DEMO, infer_schema=False)["uscc"][0]
    shown = tidui("explain", DEMO, code, *DAY).stdout
    assert "已持有称号" in shown
    assert "专精特新中小企业（2026年2号）" in shown
    assert "预评估，不构成认定" in shown
    told = json.loads(tidui("explain", DEMO, code, *DAY, "--json").stdout)
    assert told["uscc"] == code
    assert [answer["id"] for answer in told["standards"]] == list(rulebook().packs)
    assert told["rulebook"] == rulebook().hash


def test_explain_agrees_with_score(scored: Path) -> None:
    row = pl.read_parquet(scored).filter(pl.col("qualifies") >= 3).row(0, named=True)
    told = json.loads(tidui("explain", DEMO, row["uscc"], *DAY, "--json").stdout)
    assert [told["ladder"][key] for key in LADDER[2:]] == [row[key] for key in LADDER[2:]]
    for answer in told["standards"]:
        assert answer["verdict"] == row[answer["id"]]


def test_gap_names_the_next_rung(scored: Path) -> None:
    row = pl.read_parquet(scored).filter(pl.col("qualifies") == 2).row(0, named=True)
    shown = tidui("gap", DEMO, row["uscc"], *DAY).stdout
    assert "上一级" in shown
    told = json.loads(tidui("gap", DEMO, row["uscc"], *DAY, "--json").stdout)
    assert told["next_rung"] > 2
    assert told["standards"][0]["gaps"]


def test_rules_commands() -> None:
    assert "27 个规则包没有错误" in tidui("rules", "check").stdout
    assert "voucher.growth" in tidui("rules", "list", *DAY).stdout
    shown = tidui("rules", "show", "srdi.n2", *DAY).stdout
    assert "2025年研发费用÷营业收入不低于3%" in shown
    assert json.loads(tidui("rules", "show", "srdi.n2", *DAY, "--json").stdout)["id"] == "srdi.n2"
    assert "收紧" in tidui("rules", "diff", "giant.n63", "giant.n2", *DAY).stdout
    told = json.loads(tidui("rules", "diff", "giant.n63", "giant.n2", *DAY, "--json").stdout)
    assert {difference["change"] for difference in told} >= {"added", "dropped", "tightened", "relaxed"}


def test_a_filled_template_is_scored_without_a_question(tmp_path: Path) -> None:
    book_path = tmp_path / "模板.xlsx"
    tidui("template", "-o", book_path, *DAY)
    book = openpyxl.load_workbook(book_path)
    sheet = book["数据"]
    headers = {cell.value: cell.column for cell in sheet[1]}
    for header, value in (
        ("统一社会信用代码", _code(1)),
        ("企业名称", "合成示例企业（虚构）"),
        ("2025年营业收入（万元）", 2000),
        ("2025年从业人员（人）", 30),
        ("行业代码", "C3911"),
    ):
        column = headers[header]
        assert column is not None
        sheet.cell(2, column, value)
    book.save(book_path)
    done = tidui("score", book_path, "-o", tmp_path / "结果.csv", *DAY)
    result = pl.read_csv(tmp_path / "结果.csv", infer_schema=False)
    assert result["size.n300"].to_list() == ["small"]
    assert result["above_scale.nbs"].to_list() == ["met"]
    assert "E3" not in done.stderr
    assert not (tmp_path / "结果_错误.csv").exists()


def test_synth_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        tidui("synth", "-n", "300", "--seed", "7", "-o", tmp_path / f"{name}.csv", *DAY)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    tidui("score", tmp_path / "a.csv", "-o", tmp_path / "r.parquet", *DAY)
    assert not (tmp_path / "r_错误.csv").exists()


def _code(number: int) -> str:
    """A valid code: the demo registry's."""
    return str(pl.read_csv(DEMO, infer_schema=False, n_rows=number)["uscc"][number - 1])


def test_quotes_left_open_in_pairs_lose_no_firm(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    rows = [f'{_code(1)},"甲,1', f"{_code(2)},乙,2", f"{_code(3)},丙,3", f'{_code(4)},"丁,4']
    source.write_text("uscc,name,niche_years\n" + "\n".join(rows) + "\n", "utf-8")
    assert "E015" in tidui("score", source, "-o", tmp_path / "out.csv", *DAY, code=3).stderr
    assert not (tmp_path / "out.csv").exists()


def test_a_line_break_within_quotes_is_no_fault(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(f'uscc,name,备注\n{_code(1)},"甲","第一行\n第二行"\n{_code(2)},乙,\n', "utf-8")
    tidui("score", source, "-o", tmp_path / "out.csv", *DAY)
    assert pl.read_csv(tmp_path / "out.csv", infer_schema=False)["name"].to_list() == ["甲", "乙"]


@pytest.mark.parametrize("command", ["explain", "gap"])
def test_a_row_that_cannot_be_judged_is_not_explained(tmp_path: Path, command: str) -> None:
    source = write_csv(tmp_path / "in.csv", [["uscc", "name"], ["9.14403E+17", "甲"]])
    done = tidui(command, source, "甲", *DAY, code=2)
    assert "E409" in done.stderr
    assert "E105" in done.stderr
    assert not done.stdout


def test_of_two_rows_with_one_code_either_can_be_explained(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [["uscc", "name"], [_code(1), "甲"], [_code(1), "乙"]])
    assert "--row" in tidui("explain", source, _code(1), *DAY, code=2).stderr
    assert json.loads(tidui("explain", source, _code(1), "--row", "3", *DAY, "--json").stdout)["name"] == "乙"


def test_gap_says_by_which_rules_and_that_it_is_no_recognition() -> None:
    told = json.loads(tidui("gap", DEMO, _code(1), *DAY, "--json").stdout)
    assert (told["as_of"], told["rulebook"]) == ("2026-06-30", rulebook().hash)
    assert told["disclaimer"] == "预评估，不构成认定"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_no_figure_can_be_of_is_refused(tmp_path: Path, day: str) -> None:
    tidui("score", DEMO, "-o", tmp_path / "out.csv", "--as-of", day, code=2)


def test_a_template_is_a_workbook_by_its_name_too(tmp_path: Path) -> None:
    assert ".xlsx" in tidui("template", "-o", tmp_path / "t.csv", *DAY, code=2).stderr
    assert not list(tmp_path.iterdir())


def test_a_console_without_ticks_does_not_stop_the_answer() -> None:
    done = subprocess.run(
        [str(TIDUI), "explain", str(DEMO), _code(1), *DAY],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "gbk", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0, done.stderr
    assert "专精特新".encode("gbk") in done.stdout
