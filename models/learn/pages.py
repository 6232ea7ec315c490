"""Cards and evaluations as pages that stand alone: no script, no font, no address."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from models.learn.plots import calibration_plot, effect_plot, gain_plot

GROUP_NAMES = {"district": "按区 by district", "size": "按规模 by size", "sector": "按行业门类 by sector"}
SIZE_NAMES = {
    "large": "大型 large", "medium": "中型 medium", "small": "小型 small", "micro": "微型 micro",
    "unknown": "不明 unknown",
}  # fmt: skip
MEASURE_NAMES = {"auc": "AUC", "pr_auc": "PR-AUC", "brier": "Brier"}


def card_page(card: Mapping[str, Any]) -> str:
    """``card.html``."""
    return _page("card.html", card=card, test=card["test"], effects=effect_plot(card["features"]))


def evaluation_page(card: Mapping[str, Any], test: Mapping[str, Any]) -> str:
    """``evaluation-2023.html``: a later year's test of a filed model."""
    return _page("evaluation.html", card=card, test=test)


def _page(name: str, *, test: Mapping[str, Any], **about: Any) -> str:
    return (
        _templates()
        .get_template(name)
        .render(
            test=test,
            calibration=calibration_plot(test),
            gain=gain_plot(test),
            group_names=GROUP_NAMES,
            measure_names=MEASURE_NAMES,
            size_names=SIZE_NAMES,
            **about,
        )
    )


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
