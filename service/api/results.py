"""What a run found: page by page, as one file, added up, and who moved."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Response, send_file

from models.errors import Text
from models.runs.movements import movement_page
from models.runs.results import result_page, write_estimates, write_results
from models.runs.summary import run_summary
from service.answers import etag
from service.api.runs import RUN
from service.auditing import record
from service.districts import asked_district
from service.extension import reading, tidui
from service.places import Places
from service.schemas.runs import MovementsPage, MovementsQuery, ResultsPage, ResultsQuery, SummarySchema
from service.security import caller, limited, needs
from service.wire import Blueprint, View, answer

blueprint = Blueprint(
    "results", __name__, url_prefix="/v1/runs", description="全库评估的结果 What a run found"
)
NOTE = {"zh": "预评估，不构成认定", "en": "A pre-assessment, not a recognition"}
MEDIA = {
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
DOWNLOADS = 1
"""Files made at once in a process: each takes a thread, and memory for its spreadsheet."""


@blueprint.get(f"/{RUN}/results")
@needs("lookup")
@blueprint.arguments(ResultsQuery, location="query")
@blueprint.response(200, ResultsPage)
@blueprint.alt_response(409, response="H409")
def read_results(query: dict[str, Any], run_id: int) -> Response:
    """逐户结果，可按某项标准的结论、区过滤 Firm by firm; by the verdict of a standard, by district"""
    page = result_page(
        tidui().settings,
        reading(),
        run_id,
        query.get("cursor"),
        query["limit"],
        standard=query.get("standard"),
        verdict=query.get("verdict"),
        district=asked_district(query.get("district")),
    )
    record("run.results", f"run:{run_id}", firms=[row["uscc"] for row in page.rows])
    return answer({"run": run_id, "results": page.rows, "cursor": page.next, "note": NOTE})


def _file(what: str, ending: str) -> Callable[[View], View]:
    """Offers all of a run as one file."""

    def offer(view: View) -> View:
        media = MEDIA[ending]
        view = blueprint.alt_response(409, response="H409")(view)
        view = blueprint.response(200, description="整份结果 All of it", content_type=media)(view)
        return blueprint.get(f"/{RUN}/{what}.{ending}")(needs("lookup")(limited("check")(view)))

    return offer


@_file("results", "parquet")
def download_parquet(run_id: int) -> Response:
    """整份结果 Parquet：机器列 All results as Parquet"""
    return _download(run_id, "results", "parquet")


@_file("results", "csv")
def download_csv(run_id: int) -> Response:
    """整份结果 CSV：机器列 All results as CSV"""
    return _download(run_id, "results", "csv")


@_file("results", "xlsx")
def download_xlsx(run_id: int) -> Response:
    """整份结果 Excel：中文结论 All results as a workbook"""
    return _download(run_id, "results", "xlsx")


@_file("outlook", "parquet")
def download_estimates(run_id: int) -> Response:
    """全库的模型估计 Parquet：一户一行，是估计不是结论 The models' estimates of all firms"""
    return _download(run_id, "outlook", "parquet")


@_file("outlook", "csv")
def download_estimates_csv(run_id: int) -> Response:
    """全库的模型估计 CSV The models' estimates as CSV"""
    return _download(run_id, "outlook", "csv")


@blueprint.get(f"/{RUN}/summary")
@needs("lookup")
@blueprint.response(200, SummarySchema)
@blueprint.alt_response(409, response="H409")
def read_summary(run_id: int) -> Response:
    """汇总：按标准、梯级、区、行业、规模；最常起决定作用的条件；补哪些空白最有用 Everything added up"""
    return answer({"run": run_id, **run_summary(reading(), run_id, caller().district), "note": NOTE})


@blueprint.get(f"/{RUN}/movements")
@needs("lookup")
@blueprint.arguments(MovementsQuery, location="query")
@blueprint.response(200, MovementsPage)
def read_movements(query: dict[str, Any], run_id: int) -> Response:
    """这次评估里谁升谁降、为什么 Who moved in this run, and what decided it"""
    page = movement_page(
        reading(),
        run_id=run_id,
        cursor=query.get("cursor"),
        limit=query["limit"],
        district=asked_district(query.get("district")),
    )
    record("run.movements", f"run:{run_id}", firms=[row["uscc"] for row in page.rows])
    return answer({"movements": page.rows, "cursor": page.next, "note": NOTE})


def _places() -> Places:
    return Places(
        DOWNLOADS,
        "J504",
        Text("另一份结果文件正在生成", "another file of results is being made"),
        Text("几秒后再试", "Try again in a few seconds"),
    )


WRITERS = {"results": write_results, "outlook": write_estimates}


def _download(run_id: int, what: str, ending: str) -> Response:
    """The file is made anew each time and deleted while it is being sent."""
    give_back = tidui().once("downloads", _places).take()
    try:
        with tempfile.TemporaryDirectory(prefix="tidui-results-") as folder:
            path = Path(folder) / f"{what}.{ending}"
            district = caller().district
            firms = WRITERS[what](tidui().settings, reading(), run_id, path, district=district)
            record("run.export", f"run:{run_id}", what=what, format=ending, firms=firms, district=district)
            file = path.open("rb")
    finally:
        give_back()
    return send_file(
        file,
        mimetype=MEDIA[ending],
        as_attachment=True,
        download_name=f"tidui-run-{run_id}{'' if what == 'results' else f'-{what}'}.{ending}",
        etag=etag(f"run {what}", run_id, ending, caller().district),
        max_age=0,
    )
