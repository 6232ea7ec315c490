"""``/v1/runs``: judging a whole registry: begun, watched, cancelled, its failed parts done again."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from models.registry.listing import find_edition
from models.runs.begin import begin_run
from models.runs.cancel import cancel_run
from models.runs.progress import run_report
from models.runs.record import list_runs
from models.runs.retry import retry_run
from service.answers import assessor, chosen
from service.auditing import actor
from service.districts import refuse_district_key
from service.extension import now, reading, stop_reading, tidui
from service.idempotency import idempotent
from service.schemas.runs import RunOrder, RunPage, RunSchema, RunsQuery
from service.security import needs
from service.streams import FINAL, Pace, event_id, events, places
from service.wire import Blueprint, answer
from service.work import give_out

blueprint = Blueprint("runs", __name__, url_prefix="/v1/runs", description="全库评估 Runs over a registry")
RUN = "<int(max=2147483647):run_id>"
STATUS_TEXT = {
    "queued": {"zh": "排队中", "en": "queued"},
    "running": {"zh": "进行中", "en": "running"},
    "succeeded": {"zh": "已完成", "en": "succeeded"},
    "partly_succeeded": {"zh": "部分完成", "en": "partly succeeded"},
    "failed": {"zh": "失败", "en": "failed"},
    "cancelled": {"zh": "已取消", "en": "cancelled"},
    "replaced": {"zh": "已被后来的评估取代", "en": "replaced by a later run"},
}


@blueprint.post("")
@needs("run")
@idempotent()
@blueprint.arguments(RunOrder, location="json")
@blueprint.response(202, RunSchema, description="已排队；进度见 Location。同样的评估正在进行时，就是那一次")
def start_run(order: dict[str, Any]) -> Response:
    """评估整个名册：202 和进度地址；同样的正在进行就给那一次 Judge a whole registry; watch it at Location"""
    _for_the_city()
    used = assessor(order["rulebook"])
    standards = None if order["standards"] is None else chosen(used, order["standards"], "/standards")
    wanted = order["edition"]
    edition_id = None if wanted is None else find_edition(reading(), wanted).id
    stop_reading()  # what is read below must see what begin_run writes
    begun = begin_run(
        tidui().database,
        tidui().settings,
        edition_id=edition_id,
        as_of=order["as_of"],
        kind=order["kind"],
        standards=standards,
        rulebook_hash=order["rulebook"],
        actor=actor(),
        now=now(),
    )
    if begun.fresh:
        give_out("sweep")
    return _answer(begun.run_id, 202)


@blueprint.get("")
@needs("lookup")
@blueprint.arguments(RunsQuery, location="query")
@blueprint.response(200, RunPage, description="新的在前 Newest first")
def read_runs(query: dict[str, Any]) -> Response:
    """历次全库评估，新的在前 Runs, newest first"""
    limit = query["limit"]
    found = list_runs(reading(), before=query.get("cursor"), limit=limit + 1)
    shown = [shown_run(run_report(reading(), one.id, now())) for one in found[:limit]]
    return answer({"runs": shown, "cursor": found[limit - 1].id if len(found) > limit else None})


@blueprint.get(f"/{RUN}")
@needs("lookup")
@blueprint.response(200, RunSchema)
def read_run(run_id: int) -> Response:
    """一次评估：状态、企业数、速度、剩余时间、失败的部分 One run: state, firms, rate, what failed"""
    return answer(shown_run(run_report(reading(), run_id, now())))


@blueprint.get(f"/{RUN}/events")
@needs("lookup")
@blueprint.response(200, description="progress 若干次，end 一次", content_type="text/event-stream")
@blueprint.alt_response(204, description="已看过结尾（Last-Event-ID），不必再连 The end was seen already")
def read_events(run_id: int) -> Response:
    """进度流（SSE）：有变化发 progress，结束发 end Progress as server-sent events

    每个进程只开少数几条流，满时答 503，请改为轮询这次评估。"""
    extension = tidui()
    first = shown_run(run_report(reading(), run_id, now()))
    last_id = request.headers.get("Last-Event-ID")
    if first["status"] in FINAL and last_id == event_id(first):
        return Response(status=204)
    give_back = extension.once("streams", places).take()
    database, clock = extension.database, extension.clock

    def read() -> dict[str, Any]:
        with database.read() as connection:
            return shown_run(run_report(connection, run_id, clock()))

    pace = extension.once("pace", Pace)
    response = Response(events(read, first, last_id, pace), mimetype="text/event-stream")
    response.call_on_close(give_back)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    return response


@blueprint.post(f"/{RUN}/cancel")
@needs("run")
@blueprint.response(200, RunSchema)
@blueprint.alt_response(409, response="H409")
def stop_run(run_id: int) -> Response:
    """取消排队或进行中的评估；再取消一次无妨 Cancel a run that is queued or running"""
    _for_the_city()
    cancel_run(tidui().database, run_id, actor=actor(), now=now())
    give_out("run_finish", run_id)
    return _answer(run_id, 200)


@blueprint.post(f"/{RUN}/retry")
@needs("run")
@blueprint.response(202, RunSchema)
@blueprint.alt_response(409, response="H409")
def again(run_id: int) -> Response:
    """只重做失败的部分 Do the failed parts once more"""
    _for_the_city()
    retry_run(tidui().database, run_id, actor=actor(), now=now())
    give_out("sweep")
    return _answer(run_id, 202)


def shown_run(report: dict[str, Any]) -> dict[str, Any]:
    """A run as it is answered: its report, its state in words, and where to go on."""
    own = f"/v1/runs/{report['id']}"
    files = {f"results_{ending}": f"{own}/results.{ending}" for ending in ("parquet", "csv", "xlsx")}
    if report["models"] is not None:
        files |= {f"outlook_{ending}": f"{own}/outlook.{ending}" for ending in ("parquet", "csv")}
    links = {name: f"{own}/{name}" for name in ("events", "results", "summary", "movements")}
    return {
        **report,
        "status_text": STATUS_TEXT[report["status"]],
        "links": {"self": own, **links, **files},
    }


def _answer(run_id: int, status: int) -> Response:
    with tidui().database.read() as connection:
        report = run_report(connection, run_id, now())
    return answer(shown_run(report), status, headers={"Location": f"/v1/runs/{run_id}"})


def _for_the_city() -> None:
    refuse_district_key(
        "评估是全市的，限区的密钥不能启动或取消",
        "a run is of the whole city: not for a key of one district",
    )
