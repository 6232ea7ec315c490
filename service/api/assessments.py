"""Assessing a firm of the registry, or of the request's own facts, and advising it."""

from __future__ import annotations

from typing import Any

from flask import Response

from models.advising import advice_answer
from models.figures import read_figures
from service.answers import (
    asked_firm,
    assessor,
    chosen,
    firm_etag,
    firm_of,
    ids_told,
    remember_rulebook,
    seen_facts,
    seen_version,
)
from service.api.firms import figure_problem
from service.auditing import record
from service.extension import state
from service.fields import FieldsRefused
from service.outlooks import outlook_of, outlooks
from service.schemas.assessments import AdviceShown, AssessmentOrder, AssessmentQuery, AssessmentShown
from service.security import needs
from service.wire import Blueprint, answer, not_modified

blueprint = Blueprint(
    "assessments", __name__, url_prefix="/v1", description="预评估与建议 Assessments and advice"
)


@blueprint.get("/firms/<string:uscc>/assessment")
@needs("assess")
@blueprint.arguments(AssessmentQuery, location="query")
@blueprint.response(200, AssessmentShown)
def assess_firm(query: dict[str, Any], uscc: str) -> Response:
    """一家企业的预评估：梯队、每个标准、逐条条件及出处 Where a firm stands and why

    每个条件写明要求、实际、所用数据（年份、来源、日期）、结论、条款和网页。同样的问题得到逐字节相同的回答；
    预评估，不构成认定。`outlook` 是模型的估计，与规则的结论分开，不是评定结论。
    """
    used = assessor(query["rules"])
    ids = chosen(used, query["standards"], "query:standards")
    asked = (used.book.hash, query["as_of"], query["kind"], ids_told(ids), outlooks().hash)
    seen = state()
    tag = firm_etag("assessment", uscc, seen_version(uscc), seen, *asked)
    record("firm.assess", uscc, as_of=query["as_of"].isoformat(), rulebook=used.book.hash)
    unchanged = not_modified(tag)
    if unchanged is not None:
        return unchanged
    remember_rulebook(used)
    known = seen_facts(uscc)
    body = used.sheet(query["as_of"], query["kind"]).assess(firm_of(known), ids, outlook_of(query["as_of"]))
    return answer(body, etag=firm_etag("assessment", uscc, known.version, seen, *asked))


@blueprint.post("/assessments")
@needs("assess")
@blueprint.arguments(AssessmentOrder)
@blueprint.response(200, AssessmentShown)
def assess_facts(order: dict[str, Any]) -> Response:
    """按请求里的数据预评估，什么也不保存；改几个数再问就是假设情形 What if: nothing is stored

    回答的形状与企业预评估相同，数据来源为 request。
    """
    used = assessor(order["rules"])
    ids = chosen(used, order["standards"], "/standards")
    read = read_figures(order["facts"])
    if read.issues:
        raise FieldsRefused([figure_problem(issue, "/facts") for issue in read.issues])
    remember_rulebook(used)
    firm = asked_firm(order["uscc"], order["name"], read)
    beside = outlook_of(order["as_of"])
    return answer(used.sheet(order["as_of"], order["kind"]).assess(firm, ids, beside))


@blueprint.get("/firms/<string:uscc>/advice")
@needs("assess")
@blueprint.arguments(AssessmentQuery, location="query")
@blueprint.response(200, AdviceShown)
def advise_firm(query: dict[str, Any], uscc: str) -> Response:
    """离上一级和所选标准还差什么、最少要改变什么、先问清哪些空白 What is missing, and the least that would do

    每组变化都在 `plan.evaluated_on` 那天按规则重算过：已结束年份的数据不变，
    届时才看的年份逐项写明要做到多少，没有提到的按上一年算并列在 `assumed`。
    只建议改进，不建议做小、改基数；行不通的在 `blocked` 写明原因。
    由他方决定的（称号、授权、评分）没有日期，`earliest` 为 null。预评估，不构成认定。
    """
    used = assessor(query["rules"])
    ids = None if query["standards"] is None else chosen(used, query["standards"], "query:standards")
    asked = (used.book.hash, query["as_of"], query["kind"], ids_told(ids))
    seen = state()
    tag = firm_etag("advice", uscc, seen_version(uscc), seen, *asked)
    record("firm.advise", uscc, as_of=query["as_of"].isoformat(), rulebook=used.book.hash)
    unchanged = not_modified(tag)
    if unchanged is not None:
        return unchanged
    remember_rulebook(used)
    known = seen_facts(uscc)
    body = advice_answer(used.sheet(query["as_of"], query["kind"]), firm_of(known), ids)
    return answer(body, etag=firm_etag("advice", uscc, known.version, seen, *asked))
