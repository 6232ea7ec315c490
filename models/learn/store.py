"""Models on disk: a folder with ``model.skops``, ``card.json`` and ``card.html``.

The file is skops, which runs no code when read: only the types of :data:`TRUSTED` are built. Its SHA-256 is
the model's name. A file that was cut, altered or written by another minor version of scikit-learn is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sklearn
import skops.io as skops

from models.errors import ModelRefused, Text
from models.learn.model import Bundle, Model, model_of
from models.learn.tasks import tasks

FILE, CARD, PAGE = "model.skops", "card.json", "card.html"
FORMAT = 1
LARGEST = 64 * 2**20
"""Bytes of a model's file at most; ours have a few hundred thousand."""

TRUSTED = (
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
"""What a file may hold beside NumPy arrays, plain values and scikit-learn's public estimators."""


def load(directory: Path, expected: str | None = None) -> Model:
    """The model of a folder. ``expected``: the hash it must have.

    ModelRefused: L201 no model there, L202 no card or one that cannot be read, L203 another hash than the
    card's or the expected one, L204 no skops file, L205 holds types that are not trusted, L206 another
    scikit-learn, L207 another format or task.
    """
    path = directory / FILE
    if not path.is_file():
        raise ModelRefused(
            "L201",
            Text("这里没有模型", "there is no model here"),
            Text("给 tidui train -o 写出的文件夹", "Name a folder that tidui train -o wrote"),
            str(directory),
        )
    card = _card(directory)
    content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    digest = hashlib.sha256(content).hexdigest()
    if digest != card.get("hash") or expected not in (None, digest):
        raise ModelRefused(
            "L203",
            Text(
                "模型文件与指纹不符：被改过，或没有写完",
                "the file is not the one of the hash: altered, or cut short",
            ),
            Text("从原处重新复制整个文件夹，或重新训练", "Copy the whole folder again, or train again"),
            str(path),
        )
    _check_version(card, path)
    return model_of(_unpacked(content, path), card, digest)


def _card(directory: Path) -> Mapping[str, Any]:
    try:
        card = json.loads((directory / CARD).read_text("utf-8"))
        if isinstance(card, dict):
            return card
    except (OSError, ValueError):
        pass
    raise ModelRefused(
        "L202",
        Text("缺少模型卡 card.json，或读不出", "the card, card.json, is missing or cannot be read"),
        Text(
            "没有卡的模型不用；重新复制整个文件夹",
            "A model without its card is not used; copy the whole folder",
        ),
        str(directory),
    )


def _check_version(card: Mapping[str, Any], path: Path) -> None:
    written = str(card.get("scikit_learn", ""))
    if written.split(".")[:2] != sklearn.__version__.split(".")[:2]:
        raise ModelRefused(
            "L206",
            Text(
                f"模型用 scikit-learn {written} 训练，这里是 {sklearn.__version__}",
                f"trained with scikit-learn {written}; this is {sklearn.__version__}",
            ),
            Text("用现在的版本重新训练", "Train it again with this version"),
            str(path),
        )


def _unpacked(content: bytes, path: Path) -> Bundle:
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise _no_skops(path)
    try:
        strangers = sorted(set(skops.get_untrusted_types(data=content)) - set(TRUSTED))
        if strangers:
            raise ModelRefused(
                "L205",
                Text(
                    f"模型文件里有不认可的类型：{'、'.join(strangers[:3])}",
                    f"the file holds types that are not trusted: {', '.join(strangers[:3])}",
                ),
                Text("只用 tidui train 写出的模型", "Use only models that tidui train wrote"),
                str(path),
            )
        bundle = skops.loads(content, trusted=list(TRUSTED))
    except ModelRefused:
        raise
    except Exception as error:  # whatever a broken archive makes of skops
        raise _no_skops(path) from error
    if not isinstance(bundle, dict) or bundle.get("format") != FORMAT or bundle.get("task") not in tasks():
        raise ModelRefused(
            "L207",
            Text("模型的格式或任务不认识", "a format or a task that is not known"),
            Text("用现在的版本重新训练", "Train it again with this version"),
            str(path),
        )
    declared = [feature.key for feature in tasks()[bundle["task"]].features]
    if bundle["features"] != declared:
        raise ModelRefused(
            "L208",
            Text("任务的指标改过了，模型看的是旧的", "the task's features have changed since it was trained"),
            Text("重新训练", "Train it again"),
            str(path),
        )
    return bundle


def _no_skops(path: Path) -> ModelRefused:
    return ModelRefused(
        "L204",
        Text("不是 skops 模型文件（pickle 一律不读）", "not a skops file (a pickle is never read)"),
        Text("只用 tidui train 写出的模型", "Use only models that tidui train wrote"),
        str(path),
    )


def load_all(directory: Path) -> list[Model]:
    """The model of a folder, or of every folder in it by task. ModelRefused as :func:`load`."""
    if (directory / FILE).exists() or not directory.is_dir():
        return [load(directory)]
    found = [load(folder) for folder in sorted(directory.iterdir()) if (folder / FILE).exists()]
    if not found:
        return [load(directory)]
    order = list(tasks())
    return sorted(found, key=lambda model: order.index(model.task.id))
