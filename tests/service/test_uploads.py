"""Uploads over HTTP: from the file to the edition, and files that mean harm."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask

from models.registry.database import Database
from models.settings import Settings
from models.store import store_of
from models.uploads.check import check_next, write_errors
from models.uploads.confirm import import_next
from service.app import create_app
from tests.service.conftest import Client, Clock, GivenKey, KeyMaker
from tests.service.little_registry import code
from tests.tabular.files import bare_workbook

A, B = code(1), code(2)
GOOD = f"统一社会信用代码,企业名称,2025年营业收入（万元）\n{A},甲公司,1\n{B},乙公司,2\n"
BROKEN = GOOD + "123,丙公司,3\n"
HALF = f"uscc,产值\n{A},3\n"
URL = "/v1/uploads?dated=2026-06-30"


@dataclass
class Counter:
    """An uploader at the service, and the worker behind it."""

    client: Client
    key: GivenKey
    database: Database
    settings: Settings

    def send(self, content: bytes | str, name: str = "名册.csv", url: str = URL, **headers: str) -> Any:
        body = content.encode() if isinstance(content, str) else content
        return self.client.post(
            url, data={"file": (io.BytesIO(body), name)}, headers={**self.key.headers, **headers}
        )

    def send_raw(self, content: bytes, url: str = URL, **headers: str) -> Any:
        sent = {"Content-Type": "application/octet-stream", **self.key.headers, **headers}
        return self.client.post(url, data=content, headers=sent)

    def work(self) -> None:
        while check_next(self.database, self.settings):
            pass
        while import_next(self.database, self.settings, Clock()):
            pass

    def checked(self, content: bytes | str, name: str = "名册.csv") -> Any:
        """What is said of a file after its check."""
        made = self.send(content, name)
        assert made.status_code == 202, made.json
        self.work()
        return self.get(made.headers["Location"]).json

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=self.key.headers, buffered=True)

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(path, json=body, headers=self.key.headers)

    def put(self, path: str, body: Any) -> Any:
        return self.client.put(path, json=body, headers=self.key.headers)


@pytest.fixture
def counter(client: Client, key: KeyMaker, database: Database, settings: Settings) -> Counter:
    return Counter(client, key("upload,lookup"), database, settings)


def test_from_the_file_to_the_registry(counter: Counter) -> None:
    made = counter.send(BROKEN)
    own = made.headers["Location"]
    assert (made.status_code, made.json["status"], made.json["name"]) == (202, "queued", "名册.csv")
    counter.work()
    shown = counter.get(own).json
    assert (shown["status"], shown["report"]["counts"]["good"]) == ("checked", 2)
    assert [c["column"] for c in shown["report"]["columns"]] == ["uscc", "name", "revenue_2025"]
    assert counter.get(f"{own}/preview").json["rows"][0]["written"] == [A, "甲公司", "1"]
    assert counter.get(f"/v1/firms/{A}").status_code == 404  # nothing changes before it is confirmed

    refused = counter.post(f"{own}/confirm", {"mode": "all_or_nothing"})
    assert (refused.status_code, refused.json["code"]) == (409, "U410")
    confirmed = counter.post(f"{own}/confirm", {"mode": "good_rows"})
    assert (confirmed.status_code, confirmed.json["status"]) == (202, "confirmed")
    counter.work()
    shown = counter.get(own).json
    assert (shown["status"], shown["mode"], shown["edition"] is not None) == ("imported", "good_rows", True)
    assert counter.get(f"/v1/firms/{A}").json["name"] == "甲公司"


def test_the_error_workbook_is_mended_and_comes_back(counter: Counter) -> None:
    own = counter.send(BROKEN, "一季度名册.csv").headers["Location"]
    assert counter.get(f"{own}/errors.xlsx").json["code"] == "U409"
    counter.work()
    answer = counter.get(f"{own}/errors.xlsx")
    assert (
        "%E4%B8%80%E5%AD%A3%E5%BA%A6%E5%90%8D%E5%86%8C_%E9%94%99%E8%AF%AF%E6%8A%A5%E5%91%8A.xlsx"
        in (answer.headers["Content-Disposition"])
    )
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert book["数据"]["D4"].value == "E103"
    book["数据"]["A4"] = code(3)
    mended = io.BytesIO()
    book.save(mended)
    again = counter.checked(mended.getvalue(), "一季度名册_错误报告.xlsx")
    assert again["report"]["counts"] == {"rows": 3, "good": 3, "rejected": 0, "bad_cells": 0, "warnings": 0}
    assert again["report"]["notes"] == []


def test_a_workbook_that_is_still_being_made(counter: Counter) -> None:
    own = counter.send(BROKEN).headers["Location"]
    counter.work()
    upload_id = own.rsplit("/", 1)[1]
    store_of(counter.settings).delete(f"uploads/{upload_id}/errors.xlsx")
    answer = counter.get(f"{own}/errors.xlsx")
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "U503", "5")
    assert write_errors(counter.database, counter.settings, upload_id)
    assert counter.get(f"{own}/errors.xlsx").status_code == 200


def test_columns_mapped_by_hand(counter: Counter) -> None:
    own = counter.send(HALF).headers["Location"]
    counter.work()
    assert counter.get(own).json["report"]["columns"][1]["how"] == "ignored"
    wrong = counter.put(f"{own}/mapping", {"columns": {"产值": {"column": "revenue_2025"}, "x/y": None}})
    assert wrong.status_code == 422
    assert {(e["pointer"], e["code"]) for e in wrong.json["errors"]} == {
        ("/columns/产值", "U423"), ("/columns/x~1y", "U421"),
    }  # fmt: skip
    put = counter.put(f"{own}/mapping", {"columns": {"产值": {"column": "revenue_2025", "unit": "亿元"}}})
    assert (put.status_code, put.json["status"]) == (202, "queued")
    counter.work()
    assert counter.get(own).json["report"]["columns"][1] | {"label": None, "how_text": None} == {
        "header": "产值", "position": 2, "column": "revenue_2025", "label": None, "year": 2025,
        "unit": "亿元", "how": "chosen", "how_text": None, "filled": 1, "bad": 0, "samples": ["3"],
    }  # fmt: skip


def test_the_same_bytes_twice_are_one_upload(counter: Counter, key: KeyMaker) -> None:
    first, again = counter.send(GOOD), counter.send_raw(GOOD.encode(), URL + "&name=b.csv")
    assert first.headers["Location"] == again.headers["Location"]
    assert (
        counter.send(GOOD, url="/v1/uploads?dated=2026-09-30").headers["Location"]
        != first.headers["Location"]
    )
    assert replace(counter, key=key("upload")).send(GOOD).headers["Location"] != first.headers["Location"]


def test_an_idempotency_key(counter: Counter) -> None:
    first = counter.send(GOOD, **{"Idempotency-Key": "k"})
    again = counter.send(GOOD, **{"Idempotency-Key": "k"})
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    other = counter.send(HALF, **{"Idempotency-Key": "k"})
    assert (other.status_code, other.json["code"]) == (422, "I422")


def test_uploads_are_listed_newest_first_and_seen_by_their_owner_and_an_administrator(
    counter: Counter, key: KeyMaker, clock: Clock
) -> None:
    ids: list[str] = []
    for number in range(3):
        ids.insert(0, counter.send(GOOD + str(number)).json["id"])
        clock.advance(seconds=1)
    page = counter.get("/v1/uploads?limit=2").json
    assert [one["id"] for one in page["uploads"]] == ids[:2]
    rest = counter.get(f"/v1/uploads?limit=2&cursor={page['cursor']}").json
    assert ([one["id"] for one in rest["uploads"]], rest["cursor"]) == (ids[2:], None)
    other = replace(counter, key=key("upload"))
    assert other.get("/v1/uploads").json["uploads"] == []
    for call in (other.get, lambda path: other.client.delete(path, headers=other.key.headers)):
        answer = call(f"/v1/uploads/{ids[0]}")
        assert (answer.status_code, answer.json["code"]) == (404, "U404")
    assert replace(counter, key=key("upload,admin")).get(f"/v1/uploads/{ids[0]}").status_code == 200


def test_deleting(counter: Counter) -> None:
    own = counter.send(GOOD).headers["Location"]
    gone = counter.client.delete(own, headers=counter.key.headers)
    assert (gone.status_code, gone.data) == (204, b"")
    assert counter.get(own).status_code == 404
    counter.work()
    assert store_of(counter.settings).list("uploads") == []


def test_a_key_of_one_district_cannot_upload(counter: Counter, key: KeyMaker) -> None:
    own = counter.send(GOOD).headers["Location"]
    limited = replace(counter, key=key("upload,admin", district="310115"))
    for answer in (limited.send(GOOD), limited.get(own), limited.get("/v1/uploads")):
        assert (answer.status_code, answer.json["code"]) == (403, "K403")


@pytest.mark.parametrize("how", ["form", "raw", "declared", "chunked"])
def test_a_file_beyond_the_limit(
    settings: Settings, database: Database, key: KeyMaker, how: str, clock: Clock
) -> None:
    app = create_app(replace(settings, upload_limit=2_000), clock=clock)
    small = Counter(app.test_client(), key("upload"), database, settings)
    if how == "form":
        answer = small.send(b"x" * 3_000)
    elif how == "chunked":
        sent = {**small.key.headers, "Content-Type": "text/csv", "Transfer-Encoding": "chunked"}
        answer = small.client.post(
            URL,
            input_stream=io.BytesIO(b"x" * 3_000),
            headers=sent,
            environ_overrides={"wsgi.input_terminated": True},
        )
    else:
        answer = small.send_raw(b"x" * (3_000 if how == "raw" else 3_000_000))
    assert (answer.status_code, answer.json["code"]) == (413, "U413")
    assert list((settings.data / "incoming").iterdir()) == []
    assert small.get("/v1/uploads").json["uploads"] == []
    app.extensions["tidui"].close()


@pytest.mark.parametrize(
    ("url", "parts", "code"),
    [
        (URL, (), "U400"),
        (URL, ("note",), "U400"),
        (URL, ("a.csv",), "U400"),
        (URL, ("file.csv", "b.csv"), "U400"),
        ("/v1/uploads", ("file.csv",), "R422"),
        ("/v1/uploads?dated=2027-01-01", ("file.csv",), "G005"),
    ],
)
def test_calls_that_bring_no_file(counter: Counter, url: str, parts: Sequence[str], code: str) -> None:
    body = {
        name.removesuffix(".csv"): (io.BytesIO(b"x"), name) if name.endswith(".csv") else "x"
        for name in parts
    }
    answer = counter.client.post(
        url, data=body, headers=counter.key.headers, content_type="multipart/form-data"
    )
    assert (answer.status_code >= 400, answer.json["code"]) == (True, code)
    assert counter.send_raw(b"").json["code"] == "U400"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\名册\\一.csv", "名" * 200 + ".csv", "\x07a.csv", "..", "a\u202egpj.csv"]
)
def test_names_that_would_go_elsewhere(counter: Counter, name: str) -> None:
    made = (
        counter.send_raw(GOOD.encode(), f"{URL}&name={name}") if len(name) < 100 else counter.send(GOOD, name)
    )
    assert made.status_code == 202
    assert "/" not in made.json["name"]
    assert len(made.json["name"].encode()) <= 200
    counter.work()
    own = made.headers["Location"]
    assert counter.get(own).json["status"] == "checked"
    assert counter.get(f"{own}/errors.xlsx").status_code == 200


Hostile = Callable[[Path], bytes]


def _workbook(sheet: str, extra: dict[str, bytes] | None = None) -> Hostile:
    return lambda folder: bare_workbook(folder / "a.xlsx", sheet, extra).read_bytes()


def _cell(place: str, text: str) -> str:
    row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{row}"><c r="{place}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def _half(folder: Path) -> bytes:
    whole = bare_workbook(folder / "a.xlsx", _cell("A1", "uscc") + _cell("A2", A)).read_bytes()
    return whole[: len(whole) // 2]


HOSTILE: dict[str, tuple[Hostile, str]] = {
    "empty form file": (lambda _: b"", "E001"),
    "blank": (lambda _: b" \n\n", "E001"),
    "headers only": (lambda _: "统一社会信用代码,企业名称\n".encode("gb18030"), "E002"),
    "no code column": (lambda _: "企业名称,备注\n甲公司,x\n".encode(), "E003"),
    "not text": (lambda _: b"uscc,name\n" + bytes(range(128, 256)) * 40, "E004"),
    "binary garbage": (lambda _: struct.pack("<400d", *range(400)), "E004"),
    "text of another width": (lambda _: "uscc,name".encode("utf-16-le"), "E005"),
    "html": (lambda _: b"<html><table><tr><td>uscc</td></tr></table></html>", "E005"),
    "pdf": (lambda _: b"%PDF-1.7 ...", "E005"),
    "macros": (_workbook("", {"xl/vbaProject.bin": b"x"}), "E006"),
    "encrypted": (
        lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le"),
        "E007",
    ),
    "zip bomb": (_workbook("", {"xl/sharedStrings.xml": bytes(300 << 20)}), "E008"),
    "sparse giant": (_workbook(_cell("A1", "uscc") + _cell("XFD1048576", "x")), "E009"),
    "sparse giant, hidden": (
        _workbook(
            _cell("A1", "uscc")
            + '<row r="1048576"><c r="XFD1048576"><v>1</v></c><c r="A1048576"><v>1</v></c></row>'
        ),
        "E014",
    ),
    "cut in half": (_half, "E010"),
    "a quote that never closes": (lambda _: f'uscc,name\n{A},"甲\n{B},乙\n'.encode(), "E015"),
}


@pytest.mark.parametrize("which", HOSTILE)
def test_hostile_files_are_refused_with_a_clear_code(counter: Counter, which: str, tmp_path: Path) -> None:
    make, expected = HOSTILE[which]
    shown = counter.checked(make(tmp_path), "名册.xlsx")
    assert (shown["status"], shown["problem"]["code"], shown["report"]) == ("refused", expected, None)
    assert shown["problem"]["hint_zh"]
    good = counter.checked(GOOD)  # and the next file is none the worse for it
    assert good["status"] == "checked"
    for path in ("preview", "errors.xlsx"):
        assert counter.get(f"/v1/uploads/{shown['id']}/{path}").json["code"] == "U409"


def test_a_zip_of_something_else(counter: Counter) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("名册.csv", GOOD)
    assert counter.checked(packed.getvalue())["problem"]["code"] == "E005"


def test_a_broken_form_is_refused(app: Flask, counter: Counter) -> None:
    sent = {**counter.key.headers, "Content-Type": "multipart/form-data; boundary=x"}
    answer = counter.client.post(URL, data=b"--y\r\nnonsense", headers=sent)
    assert (answer.status_code, answer.json["code"]) == (400, "U400")
    assert list((counter.settings.data / "incoming").iterdir()) == []
