"""What the rules say: lists, full texts, differences between versions, whole rulebooks."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from models.fields import catalogue
from models.rules.rulebook import rulebook
from tests.service.conftest import GivenKey, KeyMaker


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing here is in the database: one kind of it is enough."""
    return sqlite_url


@pytest.fixture
def given_key(key: KeyMaker) -> GivenKey:
    return key("lookup")


@pytest.fixture
def ask(client: FlaskClient, given_key: GivenKey) -> Any:
    def asked(path: str, **headers: str) -> Any:
        return client.get(f"/v1/{path}", headers={**given_key.headers, **headers})

    return asked


def test_every_standard_is_listed_with_document_and_dates(ask: Any) -> None:
    answer = ask("standards").json
    assert [s["id"] for s in answer["standards"]] == list(rulebook().packs)
    assert all(s["document"]["number"] and s["name"]["zh"] and s["name"]["en"] for s in answer["standards"])
    assert all("in_force" not in s for s in answer["standards"])
    assert [rung["rung"] for rung in answer["ladder"]] == list(range(7))
    for head in answer["standards"]:
        assert ask(head["links"]["self"].removeprefix("/v1/")).status_code == 200


def test_which_version_is_in_force_depends_on_the_day(ask: Any) -> None:
    def in_force(day: str) -> set[str]:
        return {s["id"] for s in ask(f"standards?as_of={day}").json["standards"] if s["in_force"]}

    assert {"srdi.n63", "giant.n63"} <= in_force("2026-03-31")
    assert {"srdi.n2", "giant.n2"} <= in_force("2026-04-01")
    assert not {"srdi.n63", "giant.n63"} & in_force("2026-04-01")


def test_one_standard_in_full(ask: Any) -> None:
    answer = ask("standards/srdi.n63?as_of=2026-01-31").json
    assert (answer["id"], answer["in_force"], answer["disclaimer"]["zh"]) == (
        "srdi.n63", True, "预评估，不构成认定",
    )  # fmt: skip
    rd = next(c for c in answer["conditions"] if c["id"] == "rd_amount")
    assert (rd["text"]["zh"], rd["required"]["line"]) == ("2025年研发费用不低于100万元", 1_000_000)
    assert sum(part["max"] for part in answer["card"]) == 100
    assert ask("standards/size.n300?as_of=2026-01-31").json["size_table"][1]["name"]["zh"] == "工业"


def test_what_changed_between_two_versions(ask: Any) -> None:
    answer = ask("standards/srdi.n63/diff/srdi.n2?as_of=2026-06-30").json
    changes = {d["after_id"]: d["change"] for d in answer["differences"] if d["after_id"]}
    assert changes["niche_years"] == "tightened"
    assert all(d["change_text"]["zh"] and d["change_text"]["en"] for d in answer["differences"])


def test_a_rulebook_by_hash_or_as_the_current_one(ask: Any) -> None:
    current, by_hash = ask("rulebooks/current"), ask(f"rulebooks/{rulebook().hash}")
    assert current.data == by_hash.data
    assert current.json["current"]
    assert current.json["families"]["srdi"] == ["srdi.n63", "srdi.n2"]
    assert current.json["information"]


def test_what_there_is_not(ask: Any) -> None:
    for path, code in (
        ("standards/nothing?as_of=2026-06-30", "S404"),
        ("standards/srdi.n2/diff/nothing?as_of=2026-06-30", "S404"),
        (f"rulebooks/{'0' * 64}", "R061"),
        ("rulebooks/latest", "R061"),
    ):
        response = ask(path)
        assert (response.status_code, response.json["code"]) == (404, code)
    refused = ask("standards/srdi.n2")
    assert refused.json["errors"][0]["pointer"] == "query:as_of"


def test_nothing_is_sent_twice_that_has_not_changed(ask: Any) -> None:
    for path in (
        "standards",
        "standards?as_of=2026-06-30",
        "standards/srdi.n2?as_of=2026-06-30",
        "standards/srdi.n63/diff/srdi.n2?as_of=2026-06-30",
        "rulebooks/current",
    ):
        tag = ask(path).headers["ETag"]
        assert ask(path, **{"If-None-Match": tag}).status_code == 304
    assert ask("standards").headers["ETag"] != ask("standards?as_of=2026-06-30").headers["ETag"]


def test_every_field_says_how_it_is_written(ask: Any) -> None:
    shown = {field["key"]: field for field in ask("fields").json["fields"]}
    assert set(shown) == {field.key for field in catalogue()}
    assert shown["revenue"]["column"] == "revenue_2025"
    assert shown["revenue"]["unit"] == "元"
    assert {option["key"] for option in shown["listed_board"]["options"]} >= {"none", "neeq"}
    assert all(field["label"]["zh"] and field["label"]["en"] for field in shown.values())
