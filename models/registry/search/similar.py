"""Likeness: a wrong, a missing, a swapped character, in names and in codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from models.registry.search import tokens
from models.registry.search.firms import Reader
from models.registry.search.judge import Firm, name_form
from models.registry.search.normal import Form
from models.registry.search.postings import Postings
from models.registry.search.query import CODE_LENGTH, Query

LEAST_SCORE = 65.0
MOST = 50
"""Similar firms that are shown at all."""
_KEEP, _KEEP_FILTERED = 80, 600
_READ = 120_000
_SHORTEST = 3
_PIECE = 0.9
"""What a likeness to a piece of the name counts beside one to the whole."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A firm's name that is like what was typed."""

    firm: Firm
    name: str
    score: float
    """0..100"""
    steps: int
    """Characters to change, take out, put in or swap: of the nearer of core and whole name."""


def similar_names(query: Query, index: Postings, reader: Reader) -> Sequence[Likeness]:
    """The likest first; at most :data:`MOST`, all of :data:`LEAST_SCORE` and more."""
    if len(query.core) < _SHORTEST:
        return ()
    keep = _KEEP_FILTERED if reader.filtered else _KEEP
    ids, held = index.best(name_weights(query), read=_READ, keep=keep)
    shares = dict(zip(ids.tolist(), held.tolist(), strict=True))
    firms = reader.by_entries(ids.tolist())
    ranked: dict[str, tuple[tuple[float, float, int], Likeness]] = {}
    for entry in ids.tolist():
        if (firm := firms.get(entry)) is None or firm.uscc in ranked:
            continue
        likeness = best_likeness(query, firm)
        if likeness.score >= LEAST_SCORE:
            ranked[firm.uscc] = (-likeness.score, -shares[entry], entry), likeness
    return [likeness for _, likeness in sorted(ranked.values(), key=lambda pair: pair[0])][:MOST]


def best_likeness(query: Query, firm: Firm) -> Likeness:
    """Of all its names; ``score`` 0 where it has none."""
    found = [_likeness(query, firm, name, name_form(name)) for _, name in firm.names]
    return max(found, key=lambda each: each.score, default=Likeness(firm, "", 0.0, CODE_LENGTH))


def _likeness(query: Query, firm: Firm, name: str, shape: Form) -> Likeness:
    core = OSA.normalized_similarity(query.core, shape.core)
    whole = OSA.normalized_similarity(query.form.normal, shape.normal)
    piece = 0.0
    if len(query.core) < len(shape.core):
        piece = _PIECE * fuzz.partial_ratio(query.core, shape.core) / 100
    steps = min(OSA.distance(query.core, shape.core), OSA.distance(query.form.normal, shape.normal))
    return Likeness(firm, name, round(100 * max(core, whole, piece), 1), steps)


def name_weights(query: Query) -> dict[int, float]:
    """Tokens of the query and what each tells; also those a missing or an extra character would leave."""
    weights: dict[int, float] = {}
    core = query.core
    for number in tokens.skips(core):
        weights[number] = 0.8
    for first, second in pairwise(core):
        weights.setdefault(tokens.skip(first, second), 0.4)
    for first, second in zip(core, core[2:], strict=False):
        weights.setdefault(tokens.pair(first, second), 0.4)
    for number in tokens.pairs(query.form.normal) + tokens.pairs(core):
        weights[number] = 1.0
    weights[tokens.start(core)] = 0.6
    return weights


def similar_codes(code: str, index: Postings, reader: Reader) -> Sequence[tuple[Firm, int]]:
    """Firms whose codes are at most two characters away from one that no firm has, the nearest first."""
    if abs(len(code) - CODE_LENGTH) > 2:
        return ()
    weights = dict.fromkeys(tokens.code_parts(code), 1.0)
    ids, _ = index.best(weights, read=_READ, keep=_KEEP)
    firms = {firm.uscc: firm for firm in reader.by_entries(ids.tolist()).values()}
    return _nearest(code, firms.values())


def _nearest(code: str, firms: Iterable[Firm]) -> Sequence[tuple[Firm, int]]:
    near = [(firm, OSA.distance(code, firm.uscc)) for firm in firms]
    near = [(firm, steps) for firm, steps in near if steps <= 2]
    return sorted(near, key=lambda pair: (pair[1], pair[0].uscc))[:MOST]
