"""The pages of the documentation in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from service.problems import catalogue
from tests.browser import page
from tests.e2e.served import Served, serve


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("docs") / "data") as running:
        yield running


def test_the_documentation_shows_every_noun_and_asks_no_other_host(served: Served) -> None:
    asked: list[str] = []
    errors: list[str] = []
    with page() as shown:
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("pageerror", lambda error: errors.append(str(error)))
        shown.goto(f"{served.address}/docs")
        shown.wait_for_selector(".opblock-tag-section")
        nouns = shown.locator(".opblock-tag-section").count()
        shown.get_by_text("/v1/firms/{uscc}/assessment").first.click()
        shown.wait_for_selector(".opblock-body .parameters")
        text = shown.locator("#swagger").inner_text()
    assert errors == []
    assert nouns == len(served.call("GET", "/openapi.json", headers={"Authorization": ""}).json["tags"])
    assert "as_of" in text
    assert [url for url in asked if not url.startswith((served.address, "data:", "blob:"))] == []


def test_every_problem_code_is_explained_in_both_languages(served: Served) -> None:
    with page(width=390) as shown:
        shown.goto(f"{served.address}/docs/problems#R422")
        rows = shown.locator("tbody tr").all_inner_texts()
        wide = shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert len(rows) == len(catalogue())
    for row in rows:
        assert re.search("[\u4e00-\u9fff]", row), row
        assert re.search("[a-z]{3}", row), row
    assert wide <= 0, "on a telephone the page must not be moved sideways"
