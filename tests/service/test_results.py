"""What a run found, over HTTP: page by page, as files, added up; a district's key sees its own."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from flask import Flask

from tests.service.conftest import Client, KeyMaker
from tests.service.running import ELSEWHERE, ORDER, STRONG, WEAK, done, headers, registry, started

__all__ = ["done", "headers", "registry"]


def test_results_come_page_by_page_each_firm_once(client: Client, headers: dict[str, str], done: int) -> None:
    seen, path = [], f"/v1/runs/{done}/results?limit=1"
    while path:
        page = client.get(path, headers=headers).json
        seen += page["results"]
        path = page["cursor"] and f"/v1/runs/{done}/results?limit=1&cursor={page['cursor']}"
    assert sorted(row["uscc"] for row in seen) == sorted([STRONG, WEAK, ELSEWHERE])
    strong = next(row for row in seen if row["uscc"] == STRONG)
    assert (strong["srdi.n2"], strong["qualifies"], strong["district"]) == ("met", 3, "310104")
    assert "预评估" in page["note"]["zh"]


@pytest.mark.parametrize(
    ("query", "firms"),
    [
        ("standard=srdi.n2&verdict=met", [STRONG]), ("district=310115", [ELSEWHERE]),
        ("district=徐汇区", [STRONG, WEAK]), ("standard=srdi.n2&verdict=met&district=310115", []),
    ],
)  # fmt: skip
def test_results_are_filtered(
    client: Client, headers: dict[str, str], done: int, query: str, firms: list[str]
) -> None:
    found = client.get(f"/v1/runs/{done}/results?{query}", headers=headers).json
    assert sorted(row["uscc"] for row in found["results"]) == sorted(firms)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("verdict=met", 422), ("standard=srdi.n2", 422), ("standard=giant.n2&verdict=met", 400),
        ("cursor=x", 400),
        ("district=火星", 422), ("limit=0", 422), ("verdict=good&standard=srdi.n2", 422),
    ],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_refused(
    client: Client, headers: dict[str, str], done: int, query: str, status: int
) -> None:
    assert client.get(f"/v1/runs/{done}/results?{query}", headers=headers).status_code == status


@pytest.mark.usefixtures("registry")
def test_a_run_that_is_open_has_no_results_yet(client: Client, headers: dict[str, str]) -> None:
    run_id = started(client, headers)
    for what in ("results", "results.csv", "summary"):
        response = client.get(f"/v1/runs/{run_id}/{what}", headers=headers)
        assert (response.status_code, response.json["code"]) == (409, "J412"), what


def file(client: Client, path: str, headers: dict[str, str]) -> io.BytesIO:
    """What a download holds."""
    with client.get(path, headers=headers) as response:
        assert response.status_code == 200, response.json
        assert response.headers["Content-Disposition"].startswith("attachment; filename=tidui-run-")
        return io.BytesIO(response.data)


def test_results_are_downloaded_whole(
    app: Flask, client: Client, key: KeyMaker, headers: dict[str, str], done: int, tmp_path: Path
) -> None:
    frame = pl.read_parquet(file(client, f"/v1/runs/{done}/results.parquet", headers))
    assert frame["uscc"].sort().to_list() == sorted([STRONG, WEAK, ELSEWHERE])
    assert frame.columns[:5] == ["uscc", "name", "recognised", "qualifies", "could_reach"]
    lines = pl.read_csv(file(client, f"/v1/runs/{done}/results.csv", headers), infer_schema=False)
    assert lines["uscc"].to_list() == frame["uscc"].to_list()
    workbook = openpyxl.load_workbook(file(client, f"/v1/runs/{done}/results.xlsx", headers))
    text = str([list(sheet.values) for sheet in workbook.worksheets])
    assert STRONG in text
    assert "达标" in text
    app.extensions["tidui"].auditor.flush()
    told = client.get(f"/v1/audit?object=run:{done}&action=run.export", headers=key("admin").headers).json
    assert [(one["details"]["format"], one["details"]["firms"]) for one in told["records"]] == [
        ("xlsx", 3), ("csv", 3), ("parquet", 3),
    ]  # fmt: skip


def test_one_file_of_results_is_made_at_a_time(
    app: Flask, client: Client, headers: dict[str, str], done: int
) -> None:
    file(client, f"/v1/runs/{done}/results.csv", headers)
    give_back = app.extensions["tidui"].once("downloads", lambda: None).take()
    refused = client.get(f"/v1/runs/{done}/results.csv", headers=headers)
    assert (refused.status_code, refused.json["code"]) == (503, "J504")
    assert int(refused.headers["Retry-After"]) > 0
    give_back()
    file(client, f"/v1/runs/{done}/results.csv", headers)


def test_the_summary_adds_up(client: Client, headers: dict[str, str], done: int) -> None:
    told = client.get(f"/v1/runs/{done}/summary", headers=headers).json
    assert (told["run"], told["firms"]) == (done, 3)
    verdicts = {one["id"]: one["verdicts"] for one in told["standards"]}
    assert verdicts["srdi.n2"]["met"] == 1
    assert all(sum(counts.values()) == 3 for counts in verdicts.values())
    assert sum(one["firms"] for one in told["by_district"]) == 3


def test_a_districts_key_sees_its_own_firms_alone(client: Client, key: KeyMaker, done: int) -> None:
    own = key("run,lookup", district="310115").headers
    path = f"/v1/runs/{done}"
    assert [row["uscc"] for row in client.get(f"{path}/results", headers=own).json["results"]] == [ELSEWHERE]
    frame = pl.read_parquet(file(client, f"{path}/results.parquet", own))
    assert frame["uscc"].to_list() == [ELSEWHERE]
    summary = client.get(f"{path}/summary", headers=own).json
    assert (summary["firms"], summary["district"]["code"]) == (1, "310115")
    other = client.get(f"{path}/results?district=310104", headers=own)
    assert (other.status_code, other.json["code"]) == (403, "K403")
    for what in ("/results", "/results.csv", "/summary", "/movements"):
        with client.get(path + what, headers=own) as response:
            assert STRONG.encode() not in response.data
            assert "上海甲".encode() not in response.data
    for response in (
        client.post("/v1/runs", json=ORDER, headers=own),
        client.post(f"{path}/cancel", headers=own),
        client.post(f"{path}/retry", headers=own),
    ):
        assert response.status_code == 403
