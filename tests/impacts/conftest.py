"""Rulebooks to compare."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from models.fields import load_catalogue
from models.rules.rulebook import Rulebook, load_rulebook
from models.seeds import seed
from tests.registry.conftest import Shelf, shelf

__all__ = ["Rules", "Shelf", "shelf"]
Rules = Callable[..., Path]


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    """``rules("hge.oecd", old, new)``: a folder of the rules that ship, with one text replaced in a pack."""

    def make(pack: str, old: str, new: str) -> Path:
        root = tmp_path / f"rules-{len(list(tmp_path.glob('rules-*')))}"
        shutil.copytree(seed(), root, ignore=shutil.ignore_patterns("demo", "codes", "names"))
        path = root / "rules" / f"{pack}.yaml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")
        return root

    return make


def load(root: Path) -> Rulebook:
    return load_rulebook(root, load_catalogue(root / "fields.csv", root / "fields" / "labels.yaml"))
