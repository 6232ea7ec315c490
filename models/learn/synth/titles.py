"""Titles: who holds which, and through which day. Higher titles bring the lower ones with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from models.learn.synth.profile import BLOCK, BoolArray, FloatArray, Profile
from models.learn.synth.standing import NO_TITLE_DAY

#            ordinary strong srdi  giant champion leader unicorn young
_SRDI = np.array([0.0, 0.30, 0.92, 0.98, 0.75, 0.10, 0.30, 0.20])
_GIANT = np.array([0.0, 0.03, 0.15, 0.85, 0.55, 0.02, 0.10, 0.0])
_CHAMPION = np.array([0.0, 0.0, 0.0, 0.05, 0.70, 0.15, 0.0, 0.0])
_HNTE = np.array([0.0, 0.60, 0.90, 0.96, 0.95, 0.80, 0.70, 0.40])


def draw_titles(
    rng: np.random.Generator, profile: Profile, figures: Mapping[str, FloatArray], as_of: date
) -> dict[str, FloatArray]:
    """Days since 1970-01-01, or :data:`NO_TITLE_DAY`; from one year before ``as_of`` to three after."""
    layer, draw = profile.layer, rng.random((7, BLOCK))
    old = profile.established < np.datetime64(as_of, "D").astype(np.int64) - 500
    giant = draw[0] < _GIANT[layer]
    srdi = giant | (draw[1] < _SRDI[layer])
    able = profile.doer & old
    bent = np.clip(0.35 + 0.15 * profile.strength, 0.02, 0.8)
    small = np.nan_to_num(figures["revenue"][0]) <= 2e8
    holds = {
        "title_techsme_until": able & small & (draw[2] < np.where(profile.strong, 0.75, bent)),
        "title_innovative_until": able & ((draw[3] < 0.6 * bent) | (srdi & (draw[3] < 0.85))),
        "title_srdi_until": srdi & old,
        "title_giant_until": giant & old,
        "title_champion_until": draw[4] < _CHAMPION[layer],
        "title_hnte_until": able & (draw[5] < np.where(profile.strong, _HNTE[layer], 0.8 * bent)),
        "title_tech_demo_until": able & (draw[6] < np.where(profile.strong, 0.12, 0.01)),
    }
    return {key: _until(rng, who, key, as_of) for key, who in holds.items()}


def _until(rng: np.random.Generator, holds: BoolArray, key: str, as_of: date) -> FloatArray:
    today = float(np.datetime64(as_of, "D").astype(np.int64))
    if key == "title_techsme_until":  # judged every year, so it ends with one
        ends = np.array([f"{as_of.year - 1}-12-31", f"{as_of.year}-12-31"], dtype="datetime64[D]").astype(
            np.float64
        )
        last = ends[(rng.random(BLOCK) < 0.85).astype(np.int64)]
    else:
        lapsed = rng.random(BLOCK) < 0.08
        last = today + np.where(lapsed, rng.integers(-365, 0, BLOCK), rng.integers(0, 3 * 365, BLOCK))
    return np.where(holds, last, NO_TITLE_DAY)
