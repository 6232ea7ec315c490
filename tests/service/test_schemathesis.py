"""schemathesis over the whole OpenAPI document: nothing it can think of is a fault of ours.

Every operation gets the document's examples, the edges of its schema and random calls, right and wrong ones;
every answer is held against the document. The seed is fixed: each run asks the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pytest
import schemathesis
from flask import Flask
from schemathesis.config import (
    ChecksConfig,
    GenerationConfig,
    OperationConfig,
    OperationsConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
    StatefulPhaseConfig,
)
from schemathesis.engine import events, from_schema
from schemathesis.filters import FilterSet

from models.registry import keys
from models.registry.database import Database
from models.settings import Settings
from service.openapi import COPY
from service.streams import Pace
from tests.firms import meeting
from tests.service.conftest import KeyMaker
from tests.service.little_registry import bring_in, code

SEED = 20261123
EXAMPLES = 12
"""Random calls an operation, right and wrong ones; the edges are some 700 calls more."""

BEYOND: Mapping[str, tuple[str, Sequence[str]]] = {
    "GET /v1/firms": ("a cursor is only ever one that was given out, districts there are", ["400", "422"]),
    "GET /v1/plan/{target}/firms": ("a cursor is only ever one that was given out", ["422"]),
    "GET /v1/firms/{uscc}/assessment": ("standards there are, days there are", ["422"]),
    "GET /v1/firms/{uscc}/advice": ("standards there are, days there are", ["422"]),
    "POST /v1/assessments": ("standards and columns there are", ["422"]),
    "PATCH /v1/firms/{uscc}/facts": ("columns there are, the firm's present version", ["412", "422"]),
    "POST /v1/programmes/{programme}/checks": ("firms or uscc, options there are", ["400", "422"]),
    "POST /v1/runs": ("editions, standards and rulebooks there are", ["400", "422"]),
    "POST /v1/impacts": ("editions, standards and rulebooks there are, two sides", ["400", "422"]),
    "GET /v1/plan": ("districts there are", ["422"]),
    "GET /v1/runs/{run_id}/results": ("a standard with its verdict, districts there are", ["400", "422"]),
    "GET /v1/runs/{run_id}/movements": ("a cursor that was given out, districts there are", ["400", "422"]),
    "GET /v1/movements": ("a run, a day or a cursor that was given out", ["400", "422"]),
    "GET /v1/expiries": ("a cursor that was given out, days and districts there are", ["400", "422"]),
    "GET /v1/prospects": ("a cursor that was given out, districts there are", ["400", "422"]),
    "GET /v1/reviews": ("a cursor that was given out, districts there are", ["400", "422"]),
    "POST /v1/reviews/{review}/decisions": ("decisions about that kind; a key for one call", ["400", "422"]),
    "GET /v1/firms/{uscc}/peers": ("days there are", ["422"]),
    "POST /v1/models": ("editions there are; a key for one call", ["400", "422"]),
    "POST /v1/models/{model}/release": ("models that beat their rival", ["422"]),
    "POST /v1/webhooks": ("public https addresses", ["400"]),
    "GET /v1/webhooks/{webhook_id}/deliveries": ("a cursor is only ever one that was given out", ["400"]),
    "GET /v1/reconcile": ("JSON within a form field", ["400", "422"]),
    "POST /v1/uploads": ("a day that has come, a form with its file; a key for one call", ["400", "422"]),
    "POST /v1/uploads/{upload_id}/confirm": ("an Idempotency-Key is for one call", ["422"]),
    "PUT /v1/uploads/{upload_id}/mapping": ("headers, columns and units there are", ["422"]),
    "POST /v1/reconcile": ("JSON within a form field", ["400", "422"]),
}
"""What no schema can say, so that a call right by its schema may be refused all the same; and how."""
USUAL = ["200", "201", "202", "204", "304", "404", "409"]


@pytest.fixture
def headers(key: KeyMaker, database: Database, settings: Settings) -> dict[str, str]:
    firm = {"name": "上海甲精密机械有限公司", **meeting("voucher.growth"), "district": "310104"}
    bring_in(database, settings, {code(1): firm}, dated=date(2025, 6, 1))
    return key(",".join(keys.SCOPES)).headers


def test_no_call_that_schemathesis_makes_is_answered_wrongly(app: Flask, headers: dict[str, str]) -> None:
    app.extensions["tidui"].once("pace", lambda: Pace(longest=1.0))  # streams of runs that nobody works at
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app, config=_config(headers))
    made, wrong = 0, []
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            made += len(event.recorder.interactions)
            wrong += list(_failures(event))
        elif isinstance(event, events.NonFatalError):
            wrong.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    assert not wrong, "\n\n".join(wrong[:20])
    assert made > 800


def _failures(event: events.ScenarioFinished) -> Iterator[str]:
    for case, nodes in event.recorder.checks.items():
        for node in nodes:
            if node.failure_info is not None:
                call = event.recorder.interactions[case].request
                sent = f"{call.method} {call.uri[:500]} {(call.body or b'')[:500]!r}"
                yield f"{event.label} ({event.phase.value}) {node.failure_info.failure}\n{sent}"


def _config(headers: dict[str, str]) -> SchemathesisConfig:
    project = ProjectConfig(
        headers=dict(headers),
        continue_on_failure=True,
        generation=GenerationConfig(
            max_examples=EXAMPLES, deterministic=True, no_shrink=True, database="none"
        ),
        phases=PhasesConfig(stateful=StatefulPhaseConfig(enabled=False)),
        checks=ChecksConfig.from_dict(
            {
                "positive_data_acceptance": {"expected-statuses": USUAL},
                "missing_required_header": {"expected-statuses": ["400", "428"]},
                # schemathesis 4.32 cannot make this call to a WSGI application; test_url_map.py does.
                "ignored_auth": {"enabled": False},
            }
        ),
        operations=OperationsConfig(operations=[*_beyond(), _match()]),
    )
    return SchemathesisConfig(seed=SEED, projects=ProjectsConfig(default=project))


def _beyond() -> Iterator[OperationConfig]:
    for name, (_, statuses) in BEYOND.items():
        yield _special(name, positive_data_acceptance={"expected-statuses": [*USUAL, *statuses]})


def _match() -> OperationConfig:
    """By GET, /v1/firms/match is a firm of that code, documented as /v1/firms/{uscc}: hence its Allow.

    And names are texts: JSON may hold a NUL, they may not.
    """
    return _special(
        "POST /v1/firms/match",
        allow_header_conformance={"enabled": False},
        positive_data_acceptance={"expected-statuses": [*USUAL, "422"]},
    )


def _special(name: str, **checks: Any) -> OperationConfig:
    only = FilterSet()
    only.include(name=name)
    return OperationConfig(filter_set=only, checks=ChecksConfig.from_dict(checks))


def test_what_is_excused_is_still_there() -> None:
    paths = json.loads(COPY.read_text(encoding="utf-8"))["paths"]
    there = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(BEYOND) <= there
