"""Every route, found by the URL map itself: who gets in, who does not, and what a district's key sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from models.registry import keys
from models.registry.database import Database
from models.rules.rulebook import rulebook
from models.settings import Settings
from service.app import create_app
from service.security import marks_of
from tests.firms import meeting
from tests.service.conftest import ADMINISTRATOR, Client, Clock, GivenKey, KeyMaker
from tests.service.examples import EXAMPLES, PUBLIC
from tests.service.little_registry import bring_in, code

FIRM = code(1)
NO_CHECK = "00000000-0000-4000-8000-000000000000"
EVERYTHING = ",".join(keys.SCOPES)
Call = Callable[[str, dict[str, str]], Any]


@pytest.fixture
def call(client: Client) -> Call:
    """``call("firms.read_firm GET", headers)``"""

    def called(name: str, headers: dict[str, str], check: str = NO_CHECK) -> Any:
        example, method = EXAMPLES[name], name.split()[1]
        body = None if example.json is None else json.loads(_filled(json.dumps(example.json), check))
        form = {field: _filled(text, check) for field, text in (example.form or {}).items()}
        raw = None if example.raw is None else _filled(example.raw, check)
        return client.open(
            _filled(example.path, check), method=method, json=body, data=form or raw,
            headers={**example.headers, **headers},
        )  # fmt: skip

    return called


def _filled(text: str, check: str) -> str:
    found = {"{uscc}": FIRM, "{check}": check, "{rulebook}": rulebook().hash, "{target}": "16.1"}
    for name, value in found.items():
        text = text.replace(name, value)
    return text


def answers(call: Call, headers: Callable[[str], dict[str, str]]) -> dict[str, tuple[int, str]]:
    """Route to status and problem code."""
    found = {}
    for name in EXAMPLES:
        response = call(name, headers(name))
        found[name] = (response.status_code, (response.json or {}).get("code", ""))
    return found


def test_every_route_has_an_example_or_is_public(app: Flask) -> None:
    marks = {f"{endpoint} {method}": mark for (endpoint, method), mark in marks_of(app).items()}
    assert {name for name, mark in marks.items() if mark.scope is None} == PUBLIC
    assert {name for name, mark in marks.items() if mark.scope is not None} == set(EXAMPLES)


def test_a_view_that_forgets_to_say_who_may_call_it_stops_the_service(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path, database_url=f"sqlite:///{tmp_path}/x.sqlite", redis_url=None))
    app.add_url_rule("/v1/forgotten", view_func=lambda: "secret")
    with pytest.raises(ValueError, match="GET /v1/forgotten"):
        marks_of(app)


def test_without_a_key_every_route_is_closed(call: Call) -> None:
    assert set(answers(call, lambda name: {}).values()) == {(401, "K100")}


def test_an_unknown_key_opens_nothing(call: Call) -> None:
    headers = {"Authorization": f"Bearer tdk_{'a' * 12}_{'b' * 43}"}
    assert set(answers(call, lambda name: headers).values()) == {(401, "K102")}


def test_an_expired_key_opens_nothing(call: Call, key: KeyMaker, clock: Clock) -> None:
    given = key(EVERYTHING, expires_at=clock() + timedelta(days=1))
    clock.advance(days=1)
    assert set(answers(call, lambda name: given.headers).values()) == {(401, "K104")}


def test_a_revoked_key_opens_nothing_from_the_next_request_on(
    call: Call, key: KeyMaker, database: Database, clock: Clock
) -> None:
    given = key(EVERYTHING)
    assert call("standards.list_standards GET", given.headers).status_code == 200
    with database.write() as connection:
        keys.revoke(connection, given.id, actor=ADMINISTRATOR, now=clock())
    assert set(answers(call, lambda name: given.headers).values()) == {(401, "K103")}


def test_every_scope_but_the_right_one_is_not_enough(app: Flask, call: Call, key: KeyMaker) -> None:
    made: dict[str, GivenKey] = {}
    for scope in keys.SCOPES:
        made[scope] = key(",".join(other for other in keys.SCOPES if other != scope))
    marks = marks_of(app)

    def lacking(name: str) -> dict[str, str]:
        endpoint, method = name.split()
        return made[str(marks[endpoint, method].scope)].headers

    assert set(answers(call, lacking).values()) == {(403, "K403")}


def test_the_right_scope_alone_gets_in(app: Flask, call: Call, key: KeyMaker) -> None:
    made = {scope: key(scope) for scope in keys.SCOPES}
    marks = marks_of(app)

    def fitting(name: str) -> dict[str, str]:
        endpoint, method = name.split()
        return made[str(marks[endpoint, method].scope)].headers

    found = answers(call, fitting)
    assert {name: seen for name, seen in found.items() if seen[0] in {401, 403, 405, 422, 500}} == {}


def test_another_districts_key_sees_no_firm(
    call: Any, key: KeyMaker, database: Database, settings: Settings
) -> None:
    firm = {"name": "上海甲精密机械有限公司", **meeting("voucher.growth"), "district": "310104"}
    bring_in(database, settings, {FIRM: firm}, dated=date(2025, 6, 1))
    own, other, city = (key(EVERYTHING, district=where).headers for where in ("310104", "310115", None))
    made = call("programmes.make_checks POST", city).json
    check = made["results"][0]["check"]["answer"]["check"]
    about_firms = [name for name, example in EXAMPLES.items() if example.firm]
    seen = {name: call(name, other, check=check) for name in about_firms}
    assert {name: response.status_code for name, response in seen.items()} == dict.fromkeys(about_firms, 404)
    for response in seen.values():  # nor does the refusal tell that the firm is there
        assert "上海甲" not in response.get_data(as_text=True)
    fresh = {**other, "Idempotency-Key": "other"}
    told = {name: call(name, fresh, check=check).get_data(as_text=True) for name in EXAMPLES}
    assert not {name for name, text in told.items() if "上海甲" in text}
    assert call("audit.read_audit GET", other).status_code == 403  # it names firms of every district
    mine = {name: call(name, own, check=check).status_code for name in about_firms}
    assert not {name: status for name, status in mine.items() if status in {401, 403, 404}}


def test_an_example_is_about_a_firm_where_its_route_is(app: Flask) -> None:
    """A route with a firm in its path hides it from other districts' keys."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules() if {"uscc", "check_id"} & rule.arguments}
    assert not {name for name, one in EXAMPLES.items() if name.split()[0] in routes and not one.firm}


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/firms/x/y/z", "/nothing"])
def test_where_there_is_no_route_no_key_is_asked_for(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json["code"]) == (404, "H404")
