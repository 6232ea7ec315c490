"""The pictures of a card, as SVG with text as text, so that a browser's fonts show Chinese."""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tidui",  # the same card twice is the same file
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e6ea",
}
_DRAWING = threading.Lock()
"""Matplotlib's settings and Python's warning filters are the process's."""
MODEL, RIVAL, PLAIN = "#1f6feb", "#b35900", "#8a929c"
SHOWN = 6
"""Features whose effect is drawn."""


def calibration_plot(test: Mapping[str, Any]) -> str:
    """What was said against what came true; a dot per tenth, as large as its share of firms."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        bins = test["calibration"]["bins"]
        said, came = [one["said"] for one in bins], [one["came"] for one in bins]
        sizes = np.array([one["firms"] for one in bins]) / test["firms"]
        top = min(max([*said, *came, 0.05]) * 1.08, 1.0)
        axes.plot([0, top], [0, top], color=PLAIN, linestyle="--", linewidth=1, label="说中 as said")
        axes.plot(said, came, color=MODEL, linewidth=1)
        axes.scatter(said, came, s=30 + 400 * sizes, color=MODEL, alpha=0.75, label="模型 model")
        axes.set(
            xlabel="模型给的概率 score",
            ylabel="实际发生的比例 share that came true",
            xlim=(0, top),
            ylim=(0, top),
        )
        axes.legend(frameon=False, loc="upper left")

    return _svg(draw)


def gain_plot(test: Mapping[str, Any]) -> str:
    """How much better than chance the highest scores are, beside the rival."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        names = [f"前 {one['share']:.0%}" for one in test["tops"]]
        places = np.arange(len(names))
        for shift, rows, colour, label in (
            (-0.2, test["tops"], MODEL, "模型 model"),
            (0.2, test["rival_tops"], RIVAL, "对照 rival"),
        ):
            values = [one["precision"] for one in rows]
            bars = axes.bar(places + shift, values, 0.38, color=colour, label=label)
            axes.bar_label(bars, [f"{value:.0%}" for value in values], padding=2, fontsize=9)
        axes.axhline(test["base_rate"], color=PLAIN, linestyle="--", linewidth=1, label="总体 all firms")
        axes.set_xticks(places, names)
        axes.set_ylabel("其中实现的比例 share that came true")
        axes.margins(y=0.15)
        axes.legend(frameon=False)

    return _svg(draw)


def effect_plot(features: list[Mapping[str, Any]]) -> str:
    """How the strongest numeric features move the log-odds."""
    drawn = [one for one in features if one["kind"] != "category" and len(one["effect"]) > 1][:SHOWN]

    def draw(figure: Figure) -> None:
        grid = figure.subplots(2, 3, squeeze=False)
        for axes, feature in zip(grid.flat, drawn, strict=False):
            points = np.array(feature["effect"])
            axes.plot(points[:, 0], points[:, 1], color=MODEL, linewidth=1.6)
            axes.axhline(0, color=PLAIN, linewidth=0.8)
            axes.set_title(feature["name"]["zh"], fontsize=10)
        for axes in grid.flat[len(drawn) :]:
            axes.set_axis_off()
        figure.supylabel("对数几率的变化 change of log-odds", fontsize=9)

    return _svg(draw, (9.0, 5.0))


def _svg(draw: Callable[[Figure], None], size: tuple[float, float] = (5.2, 3.8)) -> str:
    out = io.StringIO()
    with _DRAWING, rc_context(_SETTINGS), warnings.catch_warnings():
        # The text is drawn by the browser: that no font for it is installed here does not matter.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'class="plot"', text[text.index("<svg") :], count=1)
