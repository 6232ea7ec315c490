"""``make run`` as a new user meets it: an address, a key, three calls; and nothing left when it stops."""

from __future__ import annotations

import http.client
import json
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from models.registry.audit import verify
from models.registry.database import Database
from tests.e2e.served import TIDUI, Served, serve

AS_OF = "2026-06-30"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("served") / "data", "--demo") as running:
        yield running


def test_the_three_example_calls_answer_about_a_demo_firm(served: Served) -> None:
    commands = [line.strip() for line in served.said.splitlines() if line.strip().startswith("curl ")]
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(shlex.split(command), capture_output=True, check=True, text=True)
        assert "虚构" in done.stdout, command


def test_the_json_alone_says_why(served: Served) -> None:
    firm = served.get("/v1/firms", q="合成示例第0000002号").json["firms"][0]
    answer = served.get(f"/v1/firms/{firm['uscc']}/assessment", as_of=AS_OF).json
    srdi = next(s for s in answer["standards"] if s["id"] == "srdi.n2")
    unmet = [c for c in srdi["conditions"] if c["verdict"] == "unmet"]
    assert unmet, srdi
    assert all(c["text"]["zh"] for c in unmet)
    assert "不构成认定" in str(answer["disclaimer"])


def test_stopping_leaves_no_process_and_ends_the_key(tmp_path: Path) -> None:
    with serve(tmp_path / "data", "--demo") as running:
        key = running.key
        children = psutil.Process(running.process.pid).children(recursive=True)
        assert len(children) >= 5  # the embedded server, the web server, its worker, worker and beat
        assert running.stop(signal.SIGINT) == 0
        assert not [child for child in children if child.is_running() and child.status() != "zombie"]
    with serve(tmp_path / "data") as again:
        request = urllib.request.Request(
            f"{again.address}/v1/firms?q=x", headers={"Authorization": f"Bearer {key}"}
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        refused.value.close()
        assert refused.value.code == 401


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_supervisor_takes_its_children_along(tmp_path: Path) -> None:
    with serve(tmp_path / "data") as running:
        children = psutil.Process(running.process.pid).children(recursive=True)
        running.stop(signal.SIGKILL)
        gone, alive = psutil.wait_procs(children, timeout=30)
        assert gone
        assert not alive


def test_two_services_on_one_data_folder_are_refused(served: Served) -> None:
    second = subprocess.run(
        [str(TIDUI), "serve", "--port", "1"], env={"TIDUI_DATA": str(served.data), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert second.returncode == 2
    assert "S002" in second.stderr


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /v1/firms?q=" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "H414"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"<b>" * 20_000 + b"\r\n\r\n", 431, "H431"),
        (b"<script>\r\n\r\n", 400, "H400"),
        ("GET /v1/firms?q=商务 HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 400, "R406"),
        (b"POST /v1/firms/match HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n", 400, "H400"),
    ],
)
def test_what_is_no_request_is_refused_as_a_problem_too(
    served: Served, sent: bytes, status: int, code: str
) -> None:
    host, port = served.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(sent)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        body = json.loads(answer.read())
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert (body["status"], body["code"]) == (status, code)
    assert not [part for part in ("<b>", "script", "aaaa") if part in str(body)]


def test_look_ups_are_in_the_audit_and_the_chain_holds(served: Served) -> None:
    uscc = served.get("/v1/firms", q="合成示例第0000003号").json["firms"][0]["uscc"]
    assert served.get(f"/v1/firms/{uscc}").status == 200
    database = Database(f"sqlite:///{served.data / 'tidui.sqlite'}")
    try:
        for _ in range(50):
            with database.read() as connection:
                found = connection.exec_driver_sql("SELECT object FROM audit").scalars().all()
                checked = verify(connection)
            if any(uscc in text for text in found):
                break
            time.sleep(0.2)
        assert any(uscc in text for text in found)
        assert checked.sound
    finally:
        database.close()


def test_check_says_what_is_wrong_with_the_settings(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(TIDUI), "serve", "--check"],
        env={
            "TIDUI_DATA": str(tmp_path / "data"),
            "TIDUI_REDIS_URL": "redis://127.0.0.1:1",
            "TIDUI_DATABASE_URL": "postgresql://127.0.0.1:1/none",
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "✗ Redis" in done.stdout
    assert "✗ 数据库" in done.stdout
    assert "✓ 规则包" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_browser_at_the_bare_address_is_led_to_the_documentation(served: Served) -> None:
    answer = served.call("GET", "/", headers={"Authorization": ""})
    assert (answer.status, b"openapi.json" in answer.body) == (200, True)
