"""Filing a trained model: its file, its card and the card as a page."""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import shutil
import zipfile
from pathlib import Path
from typing import Any

import orjson
import skops.io as skops

from models.errors import ModelRefused, Text
from models.learn.model import Bundle
from models.learn.pages import card_page
from models.learn.store import CARD, FILE, PAGE
from models.learn.train import Trained
from models.tabular.issues import refusal

_SCHEMA = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(trained: Trained, directory: Path) -> str:
    """File a model as a folder, whole or not at all; a model that stands there is replaced. Gives its hash.

    Raises ModelRefused L210 where something else stands there, E401 and E402 where it cannot be written.
    """
    content = packed(trained.bundle)
    digest = hashlib.sha256(content).hexdigest()
    card = {"hash": digest, **trained.card}
    _check_place(directory)
    part = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir(parents=True)
        (part / FILE).write_bytes(content)
        (part / CARD).write_bytes(orjson.dumps(card, option=orjson.OPT_INDENT_2))
        (part / PAGE).write_text(card_page(card), encoding="utf-8")
        _settle(part, directory)
    except OSError as error:
        raise refusal("E401", str(directory), reason=error.strerror or str(error)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return digest


def _check_place(directory: Path) -> None:
    free = not directory.exists() or (
        directory.is_dir() and ((directory / FILE).exists() or not any(directory.iterdir()))
    )
    if not free:
        raise ModelRefused(
            "L210",
            Text("这里放着别的东西，不能写模型", "something else stands there: no model is written"),
            Text("换一个新的文件夹", "Name a new folder"),
            str(directory),
        )


def _settle(part: Path, directory: Path) -> None:
    """Put the new folder in the place of the old one; of two at once the later one stays, whole."""
    former = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}.former")
    for _ in range(20):
        try:
            if directory.exists():
                os.rename(directory, former)
            os.rename(part, directory)
            break
        except OSError:
            if not part.exists():
                raise
    else:
        raise OSError(f"{directory} is being written by somebody else")
    shutil.rmtree(former, ignore_errors=True)


def packed(bundle: Bundle) -> bytes:
    """A bundle as bytes; equal models give equal bytes (skops writes times and addresses into its own)."""
    raw = skops.dumps(dict(bundle), compression=zipfile.ZIP_DEFLATED)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(out, "w") as target:
        numbers = _Numbers()
        schema = numbers.renumbered(json.loads(source.read(_SCHEMA)))
        entries = {numbers.files.get(name, name): source.read(name) for name in source.namelist()}
        entries[_SCHEMA] = json.dumps(schema, sort_keys=True).encode()
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, entries[name])
    return out.getvalue()


class _Numbers:
    """Addresses of objects, which differ from run to run, told by their order instead."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self.files: dict[str, str] = {}

    def renumbered(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.renumbered(one) for one in node]
        if not isinstance(node, dict):
            return node
        return {key: self._value(key, value) for key, value in node.items()}

    def _value(self, key: str, value: Any) -> Any:
        if key == "__id__":
            return self._seen.setdefault(value, len(self._seen) + 1)
        if key == "file":
            return self.files.setdefault(value, f"{len(self.files) + 1}.npy")
        return self.renumbered(value)
