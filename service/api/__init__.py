"""The nouns of ``/v1`` and what is open beside it."""

from __future__ import annotations

from flask import Flask

from service.api import (
    assessments,
    audit,
    checks,
    docs,
    expiries,
    firms,
    health,
    impacts,
    matching,
    models,
    movements,
    peers,
    plan,
    programmes,
    prospects,
    reconcile,
    results,
    reviews,
    runs,
    search,
    standards,
    uploads,
    webhooks,
)
from service.openapi import make_api
from service.wire import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = (
    search.blueprint,
    matching.blueprint,
    reconcile.blueprint,
    firms.blueprint,
    assessments.blueprint,
    peers.blueprint,
    prospects.blueprint,
    reviews.blueprint,
    standards.blueprint,
    programmes.blueprint,
    checks.blueprint,
    plan.blueprint,
    uploads.blueprint,
    runs.blueprint,
    results.blueprint,
    movements.blueprint,
    expiries.blueprint,
    impacts.blueprint,
    models.blueprint,
    webhooks.blueprint,
    audit.blueprint,
)
"""In the order in which the documentation shows them."""


def register(app: Flask) -> None:
    api = make_api(app)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(docs.blueprint)
