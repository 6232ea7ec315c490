"""The documentation: true, complete, and without another host."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask

from service.openapi import COPY, document
from service.security import marks_of
from tests.service.conftest import Client


def test_the_committed_copy_is_what_the_service_says(app: Flask) -> None:
    told = json.loads(json.dumps(document(app)))
    assert json.loads(COPY.read_text(encoding="utf-8")) == told, "run: python -m service.openapi"


def test_every_route_of_the_api_is_documented_with_its_scope(app: Flask) -> None:
    spec = document(app)
    operations = {
        (path, method): operation
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "patch", "delete"}
    }
    routes = sum(
        1
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for (endpoint, _) in marks_of(app)
        if endpoint == rule.endpoint
    )
    assert len(operations) == routes
    for (path, method), operation in operations.items():
        where = f"{method} {path}"
        assert operation.get("summary"), where
        assert re.search("[\u4e00-\u9fff]", operation["summary"]), where
        if operation["security"]:
            assert operation["x-scope"], where
            assert {"401", "403", "429"} <= set(operation["responses"]), where


def test_every_refusal_is_documented_as_problem_json(app: Flask) -> None:
    spec = document(app)
    for name, response in spec["components"]["responses"].items():
        if name.startswith("H"):
            assert list(response["content"]) == ["application/problem+json"]
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            for status, response in (
                operation.get("responses", {}).items() if isinstance(operation, dict) else ()
            ):
                if status >= "400" and "content" in response:
                    assert "application/json" not in response["content"], f"{method} {path} {status}"


def test_no_reference_leads_nowhere(app: Flask) -> None:
    spec = document(app)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(spec))):
        found = spec
        for step in reference.split("/"):
            found = found[step]


def test_it_is_openapi_3_1(client: Client) -> None:
    response = client.get("/openapi.json")
    assert response.json["openapi"].startswith("3.1")
    assert response.json["info"]["title"].startswith("梯队")


@pytest.mark.parametrize("path", ["/docs", "/docs/problems"])
def test_the_pages_load_from_here_alone(client: Client, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"#]+)"', page.get_data(as_text=True))
    assert links
    for link in links:
        assert link.startswith("/"), link
        with client.get(link) as file:
            assert file.status_code == 200, link
    policy = page.headers["Content-Security-Policy"]
    assert "http" not in policy
    assert "script-src 'self';" in policy


@pytest.mark.parametrize("name", ["../__init__.py", "..%2f__init__.py", "%2fetc%2fpasswd", "none.js"])
def test_the_files_of_the_pages_are_all_that_is_served(client: Client, name: str) -> None:
    for folder in ("files", "static"):
        assert client.get(f"/docs/{folder}/{name}", follow_redirects=True).status_code == 404
