"""Whom to call, what to look at, where a firm stands among its peers, and training: over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from models.learn.synth import write
from models.learn.tasks import tasks
from models.registry.audit import Actor
from models.registry.database import Database
from models.registry.importing import import_file
from models.seeds import seed
from models.settings import Settings
from models.trainings.jobs import do_training
from tests.service.conftest import Client, Clock, KeyMaker
from tests.service.running import work

ACTOR = Actor("cli:test", "operator", "test")
AS_OF = "2026-06-30"
Call = Any


@pytest.fixture
def headers(key: KeyMaker) -> dict[str, str]:
    return key("lookup,assess,run,write,admin").headers


@pytest.fixture
def demo(database: Database, settings: Settings, tmp_path: Path) -> list[str]:
    """Three hundred firms of the demonstration registry, imported."""
    path = tmp_path / "demo.csv"
    firms = pl.read_csv(seed("demo/firms.csv"), infer_schema=False).head(300)
    firms.write_csv(path)
    import_file(database, settings, path, dated=date(2026, 6, 30), actor=ACTOR, now=datetime.now(UTC))
    return firms[firms.columns[0]].to_list()


@pytest.fixture
def judged(
    client: Client, headers: dict[str, str], demo: list[str], database: Database, settings: Settings,
    clock: Clock,
) -> int:  # fmt: skip
    begun = client.post("/v1/runs", json={"as_of": AS_OF}, headers=headers)
    work(database, settings, clock())
    return int(begun.json["id"])


def pages(client: Client, path: str, headers: dict[str, str], name: str) -> Iterator[dict[str, Any]]:
    cursor = ""
    while cursor is not None:
        body = client.get(f"{path}{f'&cursor={cursor}' if cursor else ''}", headers=headers).json
        yield from body[name]
        cursor = body["cursor"]


def test_before_a_run_the_refusal_says_to_start_one(
    client: Client, headers: dict[str, str], demo: list[str]
) -> None:
    refused = client.get("/v1/prospects?task=giant", headers=headers)
    assert (refused.status_code, refused.json["code"]) == (409, "J414")
    assert "POST /v1/runs" in refused.json["detail"] + str(refused.json)


def test_whom_to_call(client: Client, headers: dict[str, str], judged: int) -> None:
    first = client.get("/v1/prospects?task=above_scale&limit=5", headers=headers)
    body = first.json
    assert (body["run"], body["as_of"], body["current"]) == (judged, AS_OF, True)
    assert body["note"]["zh"] == "估计，不是评定结论"
    assert len(body["model"]) == 64
    top = body["prospects"][0]
    assert top["rank"] == 1
    assert top["factors"][0]["value"]["zh"]
    assert top["rules"]["verdict"] in {"unmet", "unknown"}
    assert top["rules"]["standard"]["id"] == "above_scale.nbs"
    everyone = list(pages(client, "/v1/prospects?task=above_scale&limit=7", headers, "prospects"))
    assert [row["rank"] for row in everyone] == list(range(1, body["total"] + 1))
    hit = client.get(
        "/v1/prospects?task=above_scale&limit=5", headers={**headers, "If-None-Match": first.headers["ETag"]}
    )
    assert hit.status_code == 304


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422), ("task=rich", 422), ("task=giant&district=火星", 422), ("task=giant&rules=good", 422),
        ("task=giant&cursor=x", 400), ("task=giant&limit=0", 422),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(
    client: Client, headers: dict[str, str], judged: int, query: str, status: int
) -> None:
    assert client.get(f"/v1/prospects?{query}", headers=headers).status_code == status


def test_a_districts_key_sees_its_own_firms_only(
    client: Client, key: KeyMaker, headers: dict[str, str], judged: int
) -> None:
    own = key("lookup,write", district="310115").headers
    for task in tasks():
        rows = list(pages(client, f"/v1/prospects?task={task}", own, "prospects"))
        assert {row["district"]["code"] for row in rows} <= {"310115"}
    assert client.get("/v1/prospects?task=giant&district=310104", headers=own).status_code == 403
    seen = list(pages(client, "/v1/reviews?limit=50", own, "reviews"))
    assert {row["district"]["code"] for row in seen} <= {"310115"}
    others = [row for row in pages(client, "/v1/reviews?limit=50", headers, "reviews") if row not in seen]
    assert others
    foreign = f"/v1/reviews/{others[0]['id']}"
    assert client.get(foreign, headers=own).status_code == 404
    order = {"decision": "unclear", "reason": "试试"}
    assert client.post(f"{foreign}/decisions", json=order, headers=own).status_code == 404
    assert client.post("/v1/models", json={"task": "giant"}, headers=own).status_code == 403


def test_the_summary_tells_drift_and_the_estimates_come_as_files(
    client: Client, headers: dict[str, str], judged: int
) -> None:
    told = client.get(f"/v1/runs/{judged}/summary", headers=headers).json["outlook"]
    assert [one["task"] for one in told["tasks"]] == list(tasks())
    for one in told["tasks"]:
        assert one["drift"]["score"]["mark"] in {"stable", "watch", "shifted"}
    links = client.get(f"/v1/runs/{judged}", headers=headers).json["links"]
    table = client.get(links["outlook_csv"], headers=headers)
    assert table.status_code == 200
    lines = table.get_data(as_text=True).splitlines()
    assert len(lines) == 301
    assert lines[0].lstrip("\ufeff").startswith("uscc,district,above_scale.score")
    table.close()
    parquet = client.get(links["outlook_parquet"], headers=headers)
    assert parquet.data[:4] == b"PAR1"
    parquet.close()


def test_a_finding_is_decided_and_the_decision_kept(
    client: Client, headers: dict[str, str], judged: int
) -> None:
    queue = client.get("/v1/reviews?limit=1", headers=headers).json
    item = queue["reviews"][0]
    assert queue["total"] > 1
    assert item["why"]["zh"]
    assert set(item["choices"]) == {"right", "wrong", "unclear"}
    where = item["links"]["decisions"]
    wrong = client.post(where, json={"decision": "model", "reason": "试试"}, headers=headers)
    assert (wrong.status_code, wrong.json["code"]) == (400, "V001")
    assert client.post(where, json={"decision": "right"}, headers=headers).status_code == 422
    order = {"decision": "wrong", "reason": "电话核实：单位填错"}
    twice = [client.post(where, json=order, headers={**headers, "Idempotency-Key": "k1"}) for _ in range(2)]
    assert [one.status_code for one in twice] == [201, 201]
    assert twice[1].json["decision"] == "wrong"
    assert len(twice[1].json["decisions"]) == 1
    assert client.get("/v1/reviews?limit=1", headers=headers).json["total"] == queue["total"] - 1
    decided = client.get("/v1/reviews?status=decided", headers=headers).json["reviews"]
    assert [row["id"] for row in decided] == [item["id"]]
    labels = client.get("/v1/reviews/labels.csv", headers=headers).get_data(as_text=True)
    assert item["uscc"] in labels
    assert "电话核实：单位填错" in labels


def test_a_reader_may_not_decide(client: Client, key: KeyMaker, headers: dict[str, str], judged: int) -> None:
    item = client.get("/v1/reviews?limit=1", headers=headers).json["reviews"][0]
    answer = client.post(
        item["links"]["decisions"],
        json={"decision": "right", "reason": "看过"},
        headers=key("lookup").headers,
    )
    assert answer.status_code == 403


def test_where_a_firm_stands_among_its_peers(
    client: Client, headers: dict[str, str], demo: list[str]
) -> None:
    revenue = pl.read_csv(seed("demo/firms.csv"), infer_schema=False).head(300).select(
        "uscc", pl.col("revenue_2025").cast(pl.Float64).alias("r")
    )  # fmt: skip
    known = revenue.filter(pl.col("r") > 0).sort("r")
    low, high = known.row(1)[0], known.row(-2)[0]
    percentiles = {}
    for uscc in (low, high):
        body = client.get(f"/v1/firms/{uscc}/peers?as_of={AS_OF}", headers=headers).json
        assert body["year"] == 2025
        told = next(one for one in body["figures"] if one["measure"] == "revenue")
        assert told["peers"] >= 30
        assert told["quartiles"] == sorted(told["quartiles"])
        percentiles[uscc] = told["percentile"]
    assert percentiles[low] < 50 < percentiles[high]
    empty = revenue.filter(pl.col("r").is_null()).row(0)[0]
    body = client.get(f"/v1/firms/{empty}/peers?as_of={AS_OF}", headers=headers).json
    told = next(one for one in body["figures"] if one["measure"] == "revenue")
    assert (told["value"], told["percentile"]) == (None, None), "what is missing is shown as missing"


def test_percentiles_are_those_of_the_firms_themselves(
    client: Client, headers: dict[str, str], demo: list[str]
) -> None:
    """Counted by hand over all firms, for one whose sector and size are too few for a group."""
    frame = pl.read_csv(seed("demo/firms.csv"), infer_schema=False).head(300)
    values = frame["revenue_2025"].cast(pl.Float64).drop_nulls()
    checked = 0
    for uscc in demo:
        body = client.get(f"/v1/firms/{uscc}/peers?as_of={AS_OF}", headers=headers).json
        told = next(one for one in body["figures"] if one["measure"] == "revenue")
        if told["value"] is None or told["group"]["level"] != "all":
            continue
        assert told["peers"] == len(values)
        below = 100 * (values < told["value"]).sum() / len(values)
        assert told["percentile"] == pytest.approx(below, abs=1.5), uscc
        checked += 1
        if checked == 10:
            break
    assert checked == 10


def test_a_model_is_trained_on_the_registrys_own_history_and_released(
    client: Client,
    headers: dict[str, str],
    database: Database,
    settings: Settings,
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.parquet"
    write(7_000, 4, path, date(2026, 6, 30), years=6)
    import_file(database, settings, path, dated=date(2026, 6, 30), actor=ACTOR, now=datetime.now(UTC))
    order = {"task": "above_scale", "until": 2025}
    asked = client.post("/v1/models", json=order, headers=headers)
    assert (asked.status_code, asked.json["status"]) == (202, "queued")
    assert client.post("/v1/models", json=order, headers=headers).json["id"] == asked.json["id"]
    assert do_training(database, settings, asked.json["id"], lambda: datetime.now(UTC))
    assert not do_training(database, settings, asked.json["id"], lambda: datetime.now(UTC)), "it is done"
    done = client.get(asked.headers["Location"], headers=headers).json
    assert (done["status"], done["problem"]) == ("succeeded", None)
    card = client.get(done["links"]["model"], headers=headers).json
    assert (card["status"], card["task"]) == ("candidate", "above_scale")
    assert "<html" in client.get(done["links"]["card"], headers=headers).get_data(as_text=True)
    released = client.post(f"{done['links']['model']}/release", headers=headers)
    if card["card"]["released_ok"]:
        assert released.json["status"] == "released"
        retired = client.post(f"{done['links']['model']}/retire", headers=headers)
        assert retired.json["status"] == "retired"
    else:
        assert (released.status_code, released.json["code"]) == (422, "L302")
    assert asked.json["id"] in [
        one["id"] for one in client.get("/v1/models/trainings", headers=headers).json["trainings"]
    ]


def test_too_few_firms_to_learn_from_end_a_training_with_the_reason(
    client: Client, headers: dict[str, str], demo: list[str], database: Database, settings: Settings
) -> None:
    asked = client.post("/v1/models", json={"task": "giant"}, headers=headers)
    assert do_training(database, settings, asked.json["id"], lambda: datetime.now(UTC))
    done = client.get(asked.headers["Location"], headers=headers).json
    assert (done["status"], done["model"]) == ("failed", None)
    assert done["problem"]["code"] in {"L104", "L105", "L106"}
    assert done["problem"]["zh"]
