"""What is compared: standards of one rulebook against standards of another, or of the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import Text, UsageRefused
from models.rules.pack import Pack
from models.rules.rulebook import Rulebook

MOST_PAIRS = 40


@dataclass(frozen=True, slots=True)
class Pair:
    """One standard before and after."""

    a: Pack
    b: Pack


@dataclass(frozen=True)
class Comparison:
    """Two rulebooks, the pairs that are judged, and what need not or cannot be."""

    book_a: Rulebook
    book_b: Rulebook
    pairs: tuple[Pair, ...]
    same: tuple[str, ...] = ()
    """Standards of both rulebooks that read the same in both: nothing changes by them."""
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()


def compare(book_a: Rulebook, book_b: Rulebook, asked: Sequence[tuple[str, str]] | None = None) -> Comparison:
    """The pairs ``asked`` for (id in ``book_a``, id in ``book_b``), or every standard that reads differently.

    UsageRefused: R404 no such standard, I001 too many, I002 a size class, which is no verdict.
    """
    if asked is not None:
        return Comparison(book_a, book_b, _asked(book_a, book_b, asked))
    both = [pack for pack in book_a if pack.id in book_b.packs and pack.size_table is None]
    changed = [pack for pack in both if pack.hash != book_b[pack.id].hash]
    return Comparison(
        book_a,
        book_b,
        tuple(Pair(pack, book_b[pack.id]) for pack in changed),
        tuple(pack.id for pack in both if pack not in changed),
        tuple(pack.id for pack in book_a if pack.id not in book_b.packs),
        tuple(pack.id for pack in book_b if pack.id not in book_a.packs),
    )


def nothing_to_compare() -> UsageRefused:
    return UsageRefused(
        "I003",
        Text("两边是同一份规则，又没有指明标准", "both sides are one rulebook, and no standards are named"),
        Text(
            "另给一份规则，或写标准对，如 srdi.n63 与 srdi.n2",
            "Give another rulebook, or pairs of standards such as srdi.n63 and srdi.n2",
        ),
        "standards",
    )


def _asked(book_a: Rulebook, book_b: Rulebook, asked: Sequence[tuple[str, str]]) -> tuple[Pair, ...]:
    if len(asked) > MOST_PAIRS:
        raise UsageRefused(
            "I001",
            Text(f"一次至多比较 {MOST_PAIRS} 对标准", f"at most {MOST_PAIRS} pairs of standards at once"),
            Text("分几次比较", "Compare them in several calls"),
            "standards",
        )
    pairs = tuple(Pair(book_a[a], book_b[b]) for a, b in dict.fromkeys(asked))
    for pack in (pack for pair in pairs for pack in (pair.a, pair.b)):
        if pack.size_table is not None:
            raise UsageRefused(
                "I002",
                Text(f"“{pack.id}”的结果是规模，不是达标与否", f"“{pack.id}” gives a size class, no verdict"),
                Text("换一个有达标结论的标准", "Choose a standard that is met or not"),
                "standards",
            )
    return pairs
