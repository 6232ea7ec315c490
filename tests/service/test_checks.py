"""Checks of programmes over HTTP: decided, kept, proved, computed again."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from models.fields import catalogue
from models.receipts import read_public_key, verify
from models.registry import rulebooks
from models.registry.corrections import correct
from models.registry.database import Database
from models.registry.state import read_state
from models.registry.tables import audit, programme_check
from models.rules.rulebook import Rulebook, load_rulebook, rulebook
from models.seeds import seed
from models.settings import Settings
from tests.firms import meeting
from tests.service.conftest import Clock, GivenKey, KeyMaker
from tests.service.little_registry import bring_in, code

DAY = "2025-06-30"
PATH = "/v1/programmes/voucher.growth/checks"
GOOD, TITLED, BLANK, ATTEST, AWAY, LATE = (code(n) for n in range(6))
NOBODY = code(999)
Ask = Callable[..., Any]


@pytest.fixture
def registry(database: Database, settings: Settings) -> None:
    good = meeting("voucher.growth")
    firms = {
        GOOD: {"name": "上海甲精密机械有限公司", **good},
        TITLED: {"name": "上海乙仪表有限公司", **good, "title_srdi_until": date(2027, 12, 31)},
        BLANK: {"name": "上海丙阀门有限公司", **good, "in_directory_2025": None},
        ATTEST: {"name": "上海丁轴承有限公司", **good, "dishonest_listed": None},
        AWAY: {"name": "苏州戊模具有限公司", **good, "district": "320505"},
        LATE: {"name": "上海己电机有限公司", **good, "district": "310104", "directory_first_year": 2022},
    }
    bring_in(database, settings, firms, dated=date(2025, 6, 1))


@pytest.fixture
def programme_key(key: KeyMaker) -> GivenKey:
    return key("lookup,programme")


@pytest.fixture
def ask(registry: None, client: FlaskClient, programme_key: GivenKey) -> Ask:
    def asked(*firms: str, key: GivenKey | None = None, idempotency: str | None = None, path: str = PATH,
              **more: Any) -> Any:  # fmt: skip
        body = {"as_of": DAY, "purpose": "成长券预核", "firms": list(firms), **more}
        headers = {**(key or programme_key).headers, "Idempotency-Key": idempotency or uuid.uuid4().hex}
        return client.post(path, json=body, headers=headers)

    return asked


def test_each_firm_is_answered_in_the_order_given_and_none_is_dropped(ask: Ask) -> None:
    firms = [LATE, "91310115", GOOD, NOBODY, TITLED, GOOD.lower(), BLANK, ATTEST, AWAY, ""]
    response = ask(*firms)
    assert response.status_code == 201
    results = response.json["results"]
    assert [result["given"] for result in results] == firms
    decisions = [
        result["check"]["answer"]["verdict"] if result["check"] else result["status"] for result in results
    ]
    assert decisions == [
        "not_eligible", "invalid", "eligible", "not_found", "not_eligible",
        "eligible", "unknown", "to_review", "not_eligible", "invalid",
    ]  # fmt: skip
    assert results[1]["note"]["zh"] == "代码应为 18 位，这里是 8 位"
    assert results[3]["note"]["zh"] == "企业库里没有这个代码"
    assert results[2]["check"]["links"] == results[5]["check"]["links"]
    assert response.json["counts"] == {
        "eligible": 2, "not_eligible": 3, "unknown": 1, "to_review": 1, "not_found": 1, "invalid": 2,
    }  # fmt: skip


def test_an_answer_names_every_reason_and_source(ask: Ask) -> None:
    answer = ask(uscc=TITLED, firms=None).json
    assert answer["code"] == "R422"
    answer = ask(TITLED).json["results"][0]["check"]["answer"]
    assert answer["name"] == "上海乙仪表有限公司"
    assert answer["purpose_reached"]["zh"] == "目的已达成，不是被拒"
    assert answer["operational_definition"]["zh"].startswith("本项目的操作性定义")
    assert answer["amount"] is None
    assert answer["exclusions"]["public_rule"] is None
    assert answer["purpose"] == "成长券预核"
    assert answer["rulebook"] == rulebook().hash
    facts = {fact["column"]: fact for fact in answer["facts"]}
    assert facts["title_srdi_until"]["value"] == "2027-12-31"
    assert (facts["title_srdi_until"]["source"], facts["title_srdi_until"]["dated"]) == (
        "upload",
        "2025-06-01",
    )
    assert facts["title_srdi_until"]["origin"].startswith("名册")
    for condition in answer["conditions"]:
        assert condition["reason"]["zh"]
        assert set(condition["inputs"]) <= set(facts)


def test_one_firm_by_its_code(client: FlaskClient, registry: None, programme_key: GivenKey) -> None:
    body = {"as_of": DAY, "purpose": "预核", "uscc": GOOD}
    response = client.post(PATH, json=body, headers={**programme_key.headers, "Idempotency-Key": "one"})
    assert [result["given"] for result in response.json["results"]] == [GOOD]
    both = client.post(
        PATH, json={**body, "firms": [GOOD]}, headers={**programme_key.headers, "Idempotency-Key": "two"}
    )
    assert both.status_code == 422
    assert both.json["errors"][0]["code"] == "F011"


@pytest.mark.parametrize(
    ("growth", "options", "decision"),
    [(109, [], "eligible"), (109, ["output_growth"], "not_eligible"), (110, ["output_growth"], "eligible")],
)
def test_options_are_off_by_default(
    database: Database, settings: Settings, ask: Ask, growth: int, options: list[str], decision: str
) -> None:
    more = {"directory_entry_path": "annual", "output_value_2024": 100, "output_value_2025": growth}
    bring_in(database, settings, {GOOD: {"name": "上海甲精密机械有限公司", **more}}, dated=date(2025, 6, 2))
    assert ask(GOOD, options=options).json["results"][0]["check"]["answer"]["verdict"] == decision


def test_the_boundary_of_the_year_of_entry(database: Database, settings: Settings, ask: Ask) -> None:
    entered = {
        2022: "not_eligible",
        2023: "not_eligible",
        2024: "eligible",
        2025: "eligible",
        2026: "not_eligible",
    }
    firms = {
        code(2000 + year): {**meeting("voucher.growth"), "directory_first_year": year} for year in entered
    }
    bring_in(database, settings, firms, dated=date(2025, 6, 2))
    results = ask(*firms).json["results"]
    assert [result["check"]["answer"]["verdict"] for result in results] == list(entered.values())


def test_out_of_force_is_said(ask: Ask) -> None:
    answer = ask(GOOD, as_of="2026-02-01").json["results"][0]["check"]["answer"]
    assert answer["in_force"] is False
    assert "不在施行期内" in answer["not_in_force"]["zh"]


def test_a_purpose_and_an_idempotency_key_are_needed(
    client: FlaskClient, registry: None, programme_key: GivenKey
) -> None:
    body = {"as_of": DAY, "firms": [GOOD]}
    missing = client.post(PATH, json=body, headers={**programme_key.headers, "Idempotency-Key": "a"})
    assert missing.status_code == 422
    assert missing.json["errors"][0]["pointer"] == "/purpose"
    keyless = client.post(PATH, json={**body, "purpose": "预核"}, headers=programme_key.headers)
    assert keyless.status_code == 400


def test_the_same_key_twice_decides_once(ask: Ask, database: Database) -> None:
    first, second = ask(GOOD, LATE, idempotency="k"), ask(GOOD, LATE, idempotency="k")
    assert first.data == second.data
    with database.read() as connection:
        assert len(connection.execute(select(programme_check.c.id)).all()) == 2
    assert ask(GOOD, idempotency="k").status_code == 422


@pytest.mark.parametrize(
    ("programme", "status", "problem"),
    [("compute_voucher.2023", 422, "P405"), ("srdi.n2", 404, "P404"), ("none", 404, "P404")],
)
def test_what_is_not_judged_is_refused(ask: Ask, programme: str, status: int, problem: str) -> None:
    response = ask(GOOD, path=f"/v1/programmes/{programme}/checks")
    assert (response.status_code, response.json["code"]) == (status, problem)


def test_an_unknown_option_is_refused(ask: Ask) -> None:
    response = ask(GOOD, options=["free_lunch"])
    assert (response.status_code, response.json["code"]) == (422, "P422")


def test_a_check_is_found_again_byte_for_byte(ask: Ask, client: FlaskClient, programme_key: GivenKey) -> None:
    made = ask(GOOD)
    check = made.json["results"][0]["check"]
    again = client.get(check["links"]["self"], headers=programme_key.headers)
    assert again.json == check
    assert orjson.dumps(again.json["answer"]) in made.data
    tagged = client.get(
        check["links"]["self"], headers={**programme_key.headers, "If-None-Match": again.headers["ETag"]}
    )
    assert tagged.status_code == 304
    assert client.get(f"/v1/checks/{uuid.uuid4()}", headers=programme_key.headers).status_code == 404


def test_a_key_of_a_district_sees_its_own_firms_only(ask: Ask, client: FlaskClient, key: KeyMaker) -> None:
    xuhui = key("programme", district="310104")
    assert [result["status"] for result in ask(GOOD, LATE, key=xuhui).json["results"]] == [
        "not_found",
        "checked",
    ]
    other = ask(GOOD).json["results"][0]["check"]["links"]
    for link in other.values():
        assert client.get(link, headers=xuhui.headers).status_code == 404


def test_a_receipt_verifies_with_the_published_key(
    ask: Ask, client: FlaskClient, programme_key: GivenKey
) -> None:
    check = ask(GOOD).json["results"][0]["check"]
    receipt = client.get(check["links"]["receipt"], headers=programme_key.headers)
    assert f"receipt-{check['answer']['check']}.json" in receipt.headers["Content-Disposition"]
    keys = read_public_key(client.get("/v1/signing-keys").data)
    found = verify(receipt.data, given=keys)
    assert (found.intact, found.trust, found.answer) == (True, "given", check["answer"])


def test_the_receipt_of_a_retired_key_still_verifies(
    ask: Ask, client: FlaskClient, programme_key: GivenKey, settings: Settings, app: Any
) -> None:
    check = ask(GOOD).json["results"][0]["check"]
    (settings.secrets / "signing-key.pem").unlink()
    app.extensions["tidui"]._kept.pop("signing-key")
    newer = ask(LATE).json["results"][0]["check"]
    keys = read_public_key(client.get("/v1/signing-keys").data)
    assert len(keys) == 2
    for one in (check, newer):
        receipt = client.get(one["links"]["receipt"], headers=programme_key.headers).data
        assert verify(receipt, given=keys).intact


def test_computed_again_it_is_identical(ask: Ask, client: FlaskClient, programme_key: GivenKey) -> None:
    for result in ask(GOOD, TITLED, BLANK, ATTEST).json["results"]:
        replay = client.get(result["check"]["links"]["replay"], headers=programme_key.headers).json
        assert (replay["identical"], replay["signature_holds"]) == (True, True)
        assert replay["differences"] == []
        assert replay["registry_today"] == {"found": True, "changed": []}
        assert replay["said"]["zh"] == "重算结果与当时一致"


def test_a_later_correction_changes_the_registry_and_not_the_check(
    ask: Ask, client: FlaskClient, programme_key: GivenKey, database: Database, clock: Clock
) -> None:
    check = ask(GOOD).json["results"][0]["check"]
    with database.write() as connection:
        correct(connection, read_state(connection), GOOD, {"directory_first_year": 2022}, reason="名录核对",
                actor="test", now=clock(), expected_version=1)  # fmt: skip
    replay = client.get(check["links"]["replay"], headers=programme_key.headers).json
    assert replay["identical"] is True
    assert [(c["column"], c["then"], c["now"]) for c in replay["registry_today"]["changed"]] == [
        ("directory_first_year", 2024, 2022)
    ]
    again = ask(GOOD).json["results"][0]["check"]["answer"]
    assert again["verdict"] == "not_eligible"
    fact = next(fact for fact in again["facts"] if fact["column"] == "directory_first_year")
    assert (fact["source"], fact["reason"], fact["also"][0]["value"]) == ("hand", "名录核对", 2024)


@pytest.fixture
def earlier_book(tmp_path: Any) -> Rulebook:
    """A rulebook of other days: the voucher asked for entry in the year itself."""
    root = tmp_path / "seeds"
    shutil.copytree(seed(), root)
    pack = root / "programmes" / "voucher.growth.yaml"
    text = pack.read_text("utf-8")
    assert "back: [0, 1]" in text
    pack.write_text(text.replace("back: [0, 1]", "back: [0]"), "utf-8")
    return load_rulebook(root, catalogue())


def test_a_check_by_a_rulebook_of_other_days_is_computed_by_that(
    ask: Ask, client: FlaskClient, programme_key: GivenKey, earlier_book: Rulebook, tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    remember = rulebooks.remember
    with monkeypatch.context() as then:
        then.setattr("service.api.programmes.rulebook", lambda: earlier_book)
        then.setattr(
            rulebooks,
            "remember",
            lambda connection, book, now: remember(connection, book, now, root=tmp_path / "seeds"),
        )
        check = ask(GOOD).json["results"][0]["check"]
    assert check["answer"]["verdict"] == "not_eligible"
    assert check["answer"]["rulebook"] == earlier_book.hash != rulebook().hash
    replay = client.get(check["links"]["replay"], headers=programme_key.headers).json
    assert (replay["identical"], replay["differences"]) == (True, [])


def test_a_stored_answer_that_was_changed_is_found(
    ask: Ask, client: FlaskClient, programme_key: GivenKey, database: Database
) -> None:
    check = ask(LATE).json["results"][0]["check"]
    changed = json.dumps({**check["answer"], "verdict": "eligible"}, ensure_ascii=False)
    with database.write() as connection:
        connection.execute(update(programme_check).values(answer=changed))
    replay = client.get(check["links"]["replay"], headers=programme_key.headers).json
    assert (replay["identical"], replay["signature_holds"]) == (False, False)
    assert [d["pointer"] for d in replay["differences"]] == ["/verdict"]
    assert client.get(check["links"]["receipt"], headers=programme_key.headers).status_code == 409


def test_every_checked_firm_and_the_batch_are_in_the_audit(
    ask: Ask, database: Database, programme_key: GivenKey
) -> None:
    batch = ask(GOOD, NOBODY, LATE).json["batch"]
    with database.read() as connection:
        rows = connection.execute(
            select(audit.c.action, audit.c.object, audit.c.purpose, audit.c.actor)
            .where(audit.c.action.like("check.%"))
            .order_by(audit.c.seq)
        ).all()
    who = f"key:{programme_key.id}"
    assert [tuple(row) for row in rows] == [
        ("check.make", GOOD, "成长券预核", who),
        ("check.make", LATE, "成长券预核", who),
        ("check.batch", batch, "成长券预核", who),
    ]


@pytest.mark.slow
def test_a_thousand_firms_in_a_breath(database: Database, settings: Settings, ask: Ask) -> None:
    firms = {
        code(n): {**meeting("voucher.growth"), "name": f"上海第{n}机械有限公司"} for n in range(5000, 6000)
    }
    bring_in(database, settings, firms, dated=date(2025, 6, 2))
    mixed = [*[*firms][:998], NOBODY, "坏代码"]
    ask(GOOD)
    start = time.perf_counter()
    response = ask(*mixed)
    seconds = time.perf_counter() - start
    assert [result["given"] for result in response.json["results"]] == mixed
    assert response.json["counts"]["eligible"] == 998
    assert seconds < 5, (
        seconds
    )  # the target of 1 s is the benchmark's; this only catches something gone wrong
    assert ask(*mixed, GOOD).status_code == 422
