"""One call for every route, for tests that go over the whole URL map. A new route needs a line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Example:
    """``{uscc}`` in the path or the body stands for a firm of 徐汇区 (310104), ``{check}`` for a check of it.

    ``firm``: the call is about that firm, and a key of another district must get 404. Where it is not, a call
    that names the firm must not tell such a key of it.
    """

    path: str
    json: Any = None
    form: Mapping[str, str] | None = None
    raw: str | None = None
    """The body as it is, where it is neither JSON nor a form."""
    headers: Mapping[str, str] = field(default_factory=dict)
    firm: bool = False


PUBLIC = {
    "health.healthz GET",
    "health.readyz GET",
    "docs.start GET",
    "docs.openapi GET",
    "docs.docs GET",
    "docs.problem_list GET",
    "docs.files GET",
    "docs.static GET",
    "checks.read_keys GET",
}
"""What may be called without a key; nothing else may."""

NOBODYS = "00000000-0000-4000-8000-000000000000"

EXAMPLES: dict[str, Example] = {
    "search.find_firms GET": Example("/v1/firms?q=精密"),
    "matching.match_firms POST": Example("/v1/firms/match", json={"queries": [{"uscc": "{uscc}"}]}),
    "reconcile.read_manifest GET": Example('/v1/reconcile?queries={"q":{"query":"{uscc}"}}'),
    "reconcile.reconcile POST": Example("/v1/reconcile", form={"queries": '{"q": {"query": "{uscc}"}}'}),
    "reconcile.suggest_firms GET": Example("/v1/reconcile/suggest/entity?prefix={uscc}"),
    "reconcile.suggest_properties GET": Example("/v1/reconcile/suggest/property?prefix=d"),
    "reconcile.propose_properties GET": Example("/v1/reconcile/properties?type=firm"),
    "reconcile.preview GET": Example("/v1/reconcile/preview?id={uscc}", firm=True),
    "reconcile.make_ticket POST": Example("/v1/reconcile/tickets", json={"hours": 1}),
    "standards.list_fields GET": Example("/v1/fields"),
    "firms.read_firm GET": Example("/v1/firms/{uscc}", firm=True),
    "firms.correct_facts PATCH": Example(
        "/v1/firms/{uscc}/facts",
        json={"changes": {"revenue_2025": 1}, "reason": "企业来函更正"},
        headers={"If-Match": '"what was read"'},
        firm=True,
    ),
    "assessments.assess_firm GET": Example("/v1/firms/{uscc}/assessment?as_of=2026-06-30", firm=True),
    "assessments.advise_firm GET": Example("/v1/firms/{uscc}/advice?as_of=2026-06-30", firm=True),
    "assessments.assess_facts POST": Example(
        "/v1/assessments",
        json={"as_of": "2026-06-30", "standards": ["srdi.n2"], "facts": {"revenue_2025": 1}},
    ),
    "standards.list_standards GET": Example("/v1/standards"),
    "standards.read_standard GET": Example("/v1/standards/srdi.n2?as_of=2026-06-30"),
    "standards.compare_standards GET": Example("/v1/standards/srdi.n2/diff/srdi.n2?as_of=2026-06-30"),
    "standards.read_rulebook GET": Example("/v1/rulebooks/{rulebook}"),
    "programmes.list_programmes GET": Example("/v1/programmes"),
    "programmes.read_programme GET": Example("/v1/programmes/voucher.growth"),
    "programmes.make_checks POST": Example(
        "/v1/programmes/voucher.growth/checks",
        json={"as_of": "2025-06-30", "purpose": "成长券预核", "firms": ["{uscc}"]},
        headers={"Idempotency-Key": "example"},
    ),
    "checks.read_check GET": Example("/v1/checks/{check}", firm=True),
    "checks.read_receipt GET": Example("/v1/checks/{check}/receipt", firm=True),
    "checks.read_replay GET": Example("/v1/checks/{check}/replay", firm=True),
    "plan.read_plan GET": Example("/v1/plan"),
    "plan.read_firms GET": Example("/v1/plan/{target}/firms?basis=held"),
    "runs.start_run POST": Example("/v1/runs", json={"as_of": "2026-06-30", "standards": ["srdi.n2"]}),
    "runs.read_runs GET": Example("/v1/runs"),
    "runs.read_run GET": Example("/v1/runs/999999"),
    "runs.read_events GET": Example("/v1/runs/999999/events"),
    "runs.stop_run POST": Example("/v1/runs/999999/cancel"),
    "runs.again POST": Example("/v1/runs/999999/retry"),
    "results.read_results GET": Example("/v1/runs/999999/results?district=310104"),
    "results.download_parquet GET": Example("/v1/runs/999999/results.parquet"),
    "results.download_csv GET": Example("/v1/runs/999999/results.csv"),
    "results.download_xlsx GET": Example("/v1/runs/999999/results.xlsx"),
    "results.download_estimates GET": Example("/v1/runs/999999/outlook.parquet"),
    "results.download_estimates_csv GET": Example("/v1/runs/999999/outlook.csv"),
    "results.read_summary GET": Example("/v1/runs/999999/summary"),
    "results.read_movements GET": Example("/v1/runs/999999/movements"),
    "movements.read_feed GET": Example("/v1/movements?since=0"),
    "expiries.read_expiries GET": Example("/v1/expiries?within=90d"),
    "impacts.start_impact POST": Example(
        "/v1/impacts",
        json={"as_of": "2026-06-30", "standards": [{"a": "srdi.n63", "b": "srdi.n2"}]},
    ),
    "impacts.show_impact GET": Example(f"/v1/impacts/{NOBODYS}"),
    "models.read_models GET": Example("/v1/models?task=giant"),
    "models.read_model GET": Example("/v1/models/0000"),
    "models.read_card GET": Example("/v1/models/0000/card"),
    "models.start_training POST": Example("/v1/models", json={"task": "above_scale"}),
    "models.read_trainings GET": Example("/v1/models/trainings"),
    "models.show_training GET": Example(f"/v1/models/trainings/{NOBODYS}"),
    "models.release_model POST": Example("/v1/models/0000/release"),
    "models.retire_model POST": Example("/v1/models/0000/retire"),
    "peers.read_peers GET": Example("/v1/firms/{uscc}/peers?as_of=2026-06-30", firm=True),
    "prospects.read_prospects GET": Example("/v1/prospects?task=giant&district=310104"),
    "reviews.read_reviews GET": Example("/v1/reviews?status=all"),
    "reviews.read_labels GET": Example("/v1/reviews/labels.csv"),
    "reviews.read_review GET": Example("/v1/reviews/0000"),
    "reviews.add_decision POST": Example(
        "/v1/reviews/0000/decisions", json={"decision": "unclear", "reason": "待核"}
    ),
    "webhooks.add_webhook POST": Example("/v1/webhooks", json={"url": "https://example.com/hooks/tidui"}),
    "webhooks.read_webhooks GET": Example("/v1/webhooks"),
    "webhooks.read_webhook GET": Example(f"/v1/webhooks/{NOBODYS}"),
    "webhooks.delete_webhook DELETE": Example(f"/v1/webhooks/{NOBODYS}"),
    "webhooks.rotate_secret POST": Example(f"/v1/webhooks/{NOBODYS}/rotate"),
    "webhooks.read_deliveries GET": Example(f"/v1/webhooks/{NOBODYS}/deliveries"),
    "webhooks.replay_delivery POST": Example(f"/v1/webhooks/deliveries/{NOBODYS}/replay"),
    "uploads.add_upload POST": Example(
        "/v1/uploads?dated=2026-06-30&name=a.csv",
        raw="uscc,name\n{uscc},某公司\n",
        headers={"Content-Type": "text/csv"},
    ),
    "uploads.read_uploads GET": Example("/v1/uploads"),
    "uploads.read_upload GET": Example(f"/v1/uploads/{NOBODYS}"),
    "uploads.read_preview GET": Example(f"/v1/uploads/{NOBODYS}/preview"),
    "uploads.put_mapping PUT": Example(f"/v1/uploads/{NOBODYS}/mapping", json={"columns": {"备注": None}}),
    "uploads.confirm_upload POST": Example(
        f"/v1/uploads/{NOBODYS}/confirm", json={"mode": "good_rows"}, headers={"Idempotency-Key": "example"}
    ),
    "uploads.remove_upload DELETE": Example(f"/v1/uploads/{NOBODYS}"),
    "uploads.read_errors GET": Example(f"/v1/uploads/{NOBODYS}/errors.xlsx"),
    "audit.read_audit GET": Example("/v1/audit"),
}
