"""Dockerfile and compose.yaml without an engine: what they name is there, and the two agree.

There is no container engine where these tests run, so no image is built; what its steps do (a wheel of the
tree, made offline, that runs outside it) is done here instead.
"""

from __future__ import annotations

import fnmatch
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Group

from models.cli.commands import cli
from models.seeds import ROOT

TREE = ROOT.parent
Step = tuple[str, str]


def steps(text: str) -> list[Step]:
    """Instruction and the rest of it, lines that go on joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


@pytest.fixture(scope="module")
def dockerfile() -> list[Step]:
    return steps((TREE / "Dockerfile").read_text("utf-8"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((TREE / "compose.yaml").read_text("utf-8"))
    return content


def own(compose: dict[str, Any]) -> dict[str, Any]:
    """Services of our image."""
    return {name: one for name, one in compose["services"].items() if "tidui" in one["image"]}


def settings_names() -> set[str]:
    text = (TREE / "models" / "settings.py").read_text("utf-8")
    return {f"TIDUI_{name}" for name in re.findall(r'"([A-Z][A-Z_]+)"', text)}


def runs(command: list[str]) -> bool:
    """Is this command one that the image has."""
    if command[0] == "tidui":
        name, *rest = command[1:]
        found = cli.get_command(None, name)  # type: ignore[arg-type]
        if isinstance(found, Group) and rest:
            found = found.commands.get(rest[0])
        flags = [option for param in getattr(found, "params", []) for option in param.opts]
        return found is not None and all(part in flags for part in command if part.startswith("--"))
    if command[:2] == ["python", "-m"]:
        return hasattr(importlib.import_module(command[2]), "main")
    if command[0] == "gunicorn":
        module = command[command.index("-c") + 1].removeprefix("python:")
        target = importlib.import_module(module).wsgi_app.partition(":")[0]
        return bool(entry_points(group="console_scripts", name="gunicorn")) and bool(
            importlib.util.find_spec(target)
        )
    return False


def test_two_stages_from_the_slim_image_and_the_last_is_not_roots(dockerfile: list[Step]) -> None:
    froms = [rest.split() for word, rest in dockerfile if word == "FROM"]
    assert {words[0] for words in froms} == {"python:3.12-slim-bookworm"}
    assert len(froms) == 2
    last = dockerfile[max(i for i, (word, _) in enumerate(dockerfile) if word == "FROM") :]
    users = [rest for word, rest in last if word == "USER"]
    assert users == ["10001:10001"]
    assert [word for word, _ in last].index("USER") < [word for word, _ in last].index("CMD")
    assert any("OMP_NUM_THREADS=1" in rest for word, rest in last if word == "ENV")


def test_every_source_is_there_and_is_sent_to_the_engine(dockerfile: list[Step]) -> None:
    sent = [line for line in (TREE / ".dockerignore").read_text().split() if line.startswith("!")]
    for word, rest in dockerfile:
        if word == "COPY" and not rest.startswith("--from"):
            for source in shlex.split(rest)[:-1]:
                assert (TREE / source).exists(), source
                assert f"!{source}" in sent, source
    stage = {rest.split()[2] for word, rest in dockerfile if word == "FROM" and " AS " in rest}
    assert {rest.split()[0] for word, rest in dockerfile if word == "COPY" and "--from" in rest} == {
        f"--from={name}" for name in stage
    }


def test_what_is_installed_is_of_known_hash_and_needs_no_compiler(dockerfile: list[Step]) -> None:
    installs = [rest for word, rest in dockerfile if word == "RUN" and "install -" in rest and "pip" in rest]
    assert len(installs) == 2
    assert all(
        {"--require-hashes", "--only-binary"} <= set(rest.split()) or "--no-index" in rest.split()
        for rest in installs
    )
    assert not [rest for word, rest in dockerfile if re.search(r"\b(apt|apt-get|curl|wget)\b", rest)]
    lock = (TREE / "requirements.lock").read_text("utf-8")
    named = [block for block in re.split(r"\n(?=\S)", lock) if "==" in block]
    assert len(named) > 50
    assert all("--hash=sha256:" in requirement for requirement in named)


def test_every_command_is_one_that_the_image_has(dockerfile: list[Step], compose: dict[str, Any]) -> None:
    (default,) = [yaml.safe_load(rest) for word, rest in dockerfile if word == "CMD"]
    assert runs(default)
    services = own(compose)
    assert set(services) == {"migrate", "web", "worker", "beat"}
    for name, service in services.items():
        assert runs(service["command"]), name
        if "healthcheck" in service:
            assert service["healthcheck"]["test"][0] == "CMD"
            assert runs(service["healthcheck"]["test"][1:]), name
    assert {name for name, one in compose["services"].items() if "healthcheck" not in one} == {"migrate"}


def test_the_parts_of_compose_agree(compose: dict[str, Any]) -> None:
    services = compose["services"]
    used: dict[str, set[str]] = {"volumes": set(), "secrets": set(), "networks": set()}
    for name, service in services.items():
        used["volumes"] |= {volume.split(":")[0] for volume in service.get("volumes", [])}
        used["secrets"] |= set(service.get("secrets", []))
        used["networks"] |= set(service["networks"])
        for other, condition in service.get("depends_on", {}).items():
            assert other in services, name
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in services[other], other
    for kind, names in used.items():
        assert names == set(compose[kind]), kind


def test_settings_are_ours_and_secrets_are_files(compose: dict[str, Any]) -> None:
    for name, service in own(compose).items():
        for variable, value in service["environment"].items():
            if variable.startswith("TIDUI_"):
                assert variable in settings_names(), variable
            if str(value).startswith("/run/secrets/"):
                assert Path(value).name in service["secrets"], name
        assert not re.search(r"//[^/@:]+:[^@]+@", service["environment"]["TIDUI_DATABASE_URL"])
    assert all("file" in secret for secret in compose["secrets"].values())
    database = compose["services"]["database"]
    assert database["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/database_password"
    for shared in ("web", "worker"):
        assert "store:/var/lib/tidui-store" in compose["services"][shared]["volumes"]


def test_redis_keeps_what_it_is_given(compose: dict[str, Any]) -> None:
    command = compose["services"]["redis"]["command"]
    told = dict(zip(command[1::2], command[2::2], strict=True))
    assert told["--appendonly"] == "yes"
    assert told["--maxmemory-policy"] == "noeviction"
    assert "ports" not in compose["services"]["redis"]
    assert "ports" not in compose["services"]["database"]


@pytest.fixture(scope="module")
def installed(dockerfile: list[Step], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The image's last install step, in an environment beside this one: only what COPY names is there."""
    folder = tmp_path_factory.mktemp("image")
    source = folder / "src"
    source.mkdir()
    for word, rest in dockerfile:
        if word == "COPY" and not rest.startswith("--from"):
            for name in shlex.split(rest)[:-1]:
                _copy(TREE / name, source)
    venv.create(folder / "venv", with_pip=False, system_site_packages=False)
    (library,) = (folder / "venv").glob("lib/python*/site-packages")
    (here,) = {Path(path) for path in sys.path if path.endswith("site-packages") and sys.prefix in path}
    install = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--target", str(library)]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *install, str(source)], check=True, capture_output=True
    )
    # The dependencies of this environment, but not its editable tidui.
    others = [path for path in here.iterdir() if not fnmatch.fnmatch(path.name, "*tidui*")]
    for path in others:
        if not (library / path.name).exists():
            (library / path.name).symlink_to(path)
    yield folder / "venv" / "bin" / "python"
    shutil.rmtree(folder, ignore_errors=True)


def _copy(path: Path, folder: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(path, folder)


def test_the_installed_service_runs_away_from_its_tree(installed: Path, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "TIDUI_DATA": str(tmp_path / "data")}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(installed), *command], cwd=tmp_path, env=environment, capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip

    where = run("-c", "import models.seeds; print(models.seeds.ROOT)")
    assert str(TREE) not in where.stdout, where.stderr
    for command in (["registry", "migrate"], ["rules", "check"], ["doctor"], ["serve", "--check"]):
        done = run("-m", "models.cli", *command)
        assert done.returncode == 0, done.stdout + done.stderr
    page = run(
        "-c",
        "from models.settings import read_settings; from service.app import create_app;"
        "client = create_app(read_settings()).test_client();"
        "print([client.get(path).status_code for path in ('/docs', '/healthz', '/docs/problems')])",
    )
    assert "[200, 200, 200]" in page.stdout, page.stderr
