"""The stages of one search in the order in which their firms are shown, each worked out when reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice

import numpy as np

from models.errors import Text
from models.registry.search import tokens, words
from models.registry.search.columns import LONGEST_CORE
from models.registry.search.firms import Reader
from models.registry.search.judge import Finding, Firm, Kind, judge
from models.registry.search.postings import NONE, Ids, Postings
from models.registry.search.query import CODE_LENGTH, Query
from models.registry.search.similar import Likeness, similar_codes, similar_names

_FIRST_CHUNK, _LARGEST_CHUNK = 50, 1000
_PATIENCE = 4000
"""Entries looked at for one page; then the page ends short and its cursor goes on from there."""
_MANY = 2000
_ENOUGH = 5
_FEW_WITHIN = 2500
"""Filters that leave so few firms are asked first, where many entries have the tokens."""
_CODE_PARTS = 5000

_SCORES = {
    Kind.CODE: (100.0, 0.0),
    Kind.NAME: (100.0, 0.0),
    Kind.CORE: (97.0, 0.0),
    Kind.FORMER: (94.0, 0.0),
    Kind.CODE_START: (90.0, 0.0),
    Kind.CODE_PART: (85.0, 0.0),
    Kind.PREFIX: (80.0, 13.0),
    Kind.PART: (65.0, 13.0),
    Kind.FORMER_PART: (60.0, 13.0),
    Kind.SOUND: (55.0, 13.0),
    Kind.INITIALS: (50.0, 13.0),
    Kind.INITIALS_PART: (40.0, 13.0),
}
"""The least score of a kind, and what is added as the query becomes the whole name."""


_NOTHING = Text("", "")


@dataclass(frozen=True, slots=True)
class Found:
    """A firm to be shown, or (``firm`` None) the word to stop here and go on with the next page."""

    after: int | str
    firm: Firm | None = None
    kind: Kind = Kind.NAME
    score: float = 0.0
    why: Text = _NOTHING
    name: str = ""


Stage = Callable[[int | str | None], Iterator[Found]]
"""Given what was last shown of it (None: nothing), the rest of a stage."""


class Search:
    """One question put to the index."""

    def __init__(self, query: Query, index: Postings, reader: Reader) -> None:
        self.query, self.index, self.reader = query, index, reader
        self._seen_firms: dict[int, Firm | None] = {}
        self._findings: dict[str, Finding | None] = {}
        self._patience = _PATIENCE

    def stages(self) -> Sequence[Stage]:
        if self.query.code and len(self.query.code) == CODE_LENGTH:
            return [self._code, *self._of_name(), self._like_code]
        codes: list[Stage] = [self._code_start, self._code_part, self._like_code] if self.query.code else []
        if any(char.isdigit() for char in self.query.code):
            return [*codes, *self._of_name()]
        return [*self._of_name(), *codes]

    def _of_name(self) -> Sequence[Stage]:
        if not self.query.form.normal:
            return []
        if self.query.everywhere:
            return [self._everything]
        return [
            self._walk(Kind.NAME, lambda: self._whole),
            self._walk(Kind.CORE, lambda: self._whole),
            self._walk(Kind.FORMER, lambda: self._whole),
            self._walk(Kind.PREFIX, lambda: self._starting),
            self._walk(Kind.PART, lambda: self._containing),
            self._walk(Kind.FORMER_PART, lambda: self._containing),
            self._walk(Kind.SOUND, lambda: self._sounding),
            self._walk(Kind.INITIALS, lambda: self._spelt(at_start=True)),
            self._walk(Kind.INITIALS_PART, lambda: self._spelt(at_start=False)),
            self._like_name,
        ]

    # Where the candidates of the stages come from

    @cached_property
    def _whole(self) -> Ids:
        return self._narrowed(whole_names(self.query, self.index))

    @cached_property
    def _starting(self) -> Ids:
        core = self.query.core
        return self._narrowed(self.index.having([tokens.start(core), *tokens.pairs(core)]))

    @cached_property
    def _containing(self) -> Ids:
        asked = {tuple(tokens.pairs(text)) for text in (self.query.core, self.query.form.normal)}
        if self.query.words:
            asked.add(tuple(number for word in self.query.words for number in tokens.pairs(word)))
        return self._narrowed(_union([self.index.having(each) for each in sorted(asked) if each]))

    @cached_property
    def _sounding(self) -> Ids:
        if self._answered and not self.query.spelt:
            return NONE  # homophones of what stands in names as it was typed
        return self._narrowed(_union([self.index.having(tokens.sounds(way)) for way, _ in self.query.ways]))

    def _spelt(self, *, at_start: bool) -> Ids:
        asked = [tokens.initials(letters, at_start=at_start) for letters in self.query.initials]
        return self._narrowed(_union([self.index.having(each) for each in asked if each]))

    def _narrowed(self, ids: Ids) -> Ids:
        """Without what the filters leave out, where that is cheaper to know beforehand."""
        if self.reader.filtered and len(ids) > _MANY and (allowed := self._allowed) is not None:
            return np.intersect1d(ids, allowed, assume_unique=True)
        return ids

    @cached_property
    def _allowed(self) -> Ids | None:
        entries = self.reader.few_entries(_FEW_WITHIN)
        return None if entries is None else np.array(entries, dtype=np.int64)

    # The stages

    def _walk(self, kind: Kind, source: Callable[[], Ids]) -> Stage:
        def stage(after: int | str | None) -> Iterator[Found]:
            ids = source()
            at = int(np.searchsorted(ids, after, side="right")) if isinstance(after, int) else 0
            size = _FIRST_CHUNK
            while at < len(ids):
                if self._patience <= 0:
                    yield Found(int(ids[at - 1]) if at else -1)
                chunk = ids[at : at + size].tolist()
                yield from self._shown(chunk, lambda finding: finding.kind is kind)
                at, size = at + size, min(size * 4, _LARGEST_CHUNK)

        return stage

    def _shown(self, ids: Sequence[int], wanted: Callable[[Finding], bool]) -> Iterator[Found]:
        """Firms whose best name is one of these entries, in their order."""
        firms = self._load(ids)
        for entry in ids:
            firm = firms.get(entry)
            finding = self._judged(firm) if firm else None
            if firm and finding and finding.entry == entry and wanted(finding):
                yield found_by_name(self.query, firm, finding)

    def _judged(self, firm: Firm) -> Finding | None:
        if firm.uscc not in self._findings:
            self._findings[firm.uscc] = judge(self.query, firm)
        return self._findings[firm.uscc]

    def _load(self, ids: Sequence[int]) -> dict[int, Firm]:
        missing = [entry for entry in ids if entry not in self._seen_firms]
        if missing:
            self._patience -= len(missing)
            found = self.reader.by_entries(missing)
            self._seen_firms |= {entry: found.get(entry) for entry in missing}
        return {entry: firm for entry in ids if (firm := self._seen_firms[entry])}

    def _everything(self, after: int | str | None) -> Iterator[Found]:
        """Nearly every firm answers: they are walked through, not searched."""
        if self.reader.filtered and (allowed := self._allowed) is not None:
            kinds = (Kind.NAME, Kind.CORE, Kind.FORMER, Kind.PREFIX, Kind.PART, Kind.FORMER_PART)
            yield from self._walk_all(allowed, after, kinds)
            return
        last, size = after if isinstance(after, int) else -1, _FIRST_CHUNK
        while True:
            if self._patience <= 0:
                yield Found(last)
            ids = self.reader.span(last, size)
            if not ids:
                return
            yield from self._shown(ids, _is_literal)
            last, size = ids[-1], min(size * 4, _LARGEST_CHUNK)

    def _walk_all(self, ids: Ids, after: int | str | None, kinds: Sequence[Kind]) -> Iterator[Found]:
        rest = ids[np.searchsorted(ids, after, side="right") :] if isinstance(after, int) else ids
        for at in range(0, len(rest), _LARGEST_CHUNK):
            yield from self._shown(rest[at : at + _LARGEST_CHUNK].tolist(), lambda found: found.kind in kinds)

    def _code(self, after: int | str | None) -> Iterator[Found]:
        typed, mended = self.query.code, self.query.mended_code
        firms = self.reader.by_codes([typed, mended]) if after is None else {}
        for code in dict.fromkeys((typed, mended)):
            if firm := firms.get(code):
                why = (
                    words.reason(Kind.CODE, asked=typed, name="", core="")
                    if code == typed
                    else words.mended_reason(typed)
                )
                yield Found(code, firm, Kind.CODE, 100.0 if code == typed else 95.0, why, firm.name)

    def _code_start(self, after: int | str | None) -> Iterator[Found]:
        typed = self.query.mended_code
        last = after if isinstance(after, str) else ""
        first, final = typed.ljust(CODE_LENGTH, "0"), typed.ljust(CODE_LENGTH, "Z")
        while firms := self.reader.code_span(first, final, last, _FIRST_CHUNK):
            yield from (self._by_code(Kind.CODE_START, firm) for firm in firms.values())
            last = max(firms)

    def _code_part(self, after: int | str | None) -> Iterator[Found]:
        typed = self.query.mended_code
        ids = self.index.having(tokens.code_parts(typed))[:_CODE_PARTS] if len(typed) < CODE_LENGTH else NONE
        firms = (
            {firm.uscc: firm for firm in self.reader.by_entries(ids.tolist()).values()} if len(ids) else {}
        )
        last = after if isinstance(after, str) else ""
        for code in sorted(firms):
            if code > last and typed in code and not code.startswith(typed):
                yield self._by_code(Kind.CODE_PART, firms[code])

    def _by_code(self, kind: Kind, firm: Firm) -> Found:
        why = words.reason(kind, asked=self.query.mended_code, name="", core="")
        return Found(firm.uscc, firm, kind, _SCORES[kind][0], why, firm.name)

    def _like_code(self, after: int | str | None) -> Iterator[Found]:
        typed = self.query.mended_code
        exact = self.reader.by_codes([typed, self.query.code])
        for place, (firm, steps) in enumerate(() if exact else similar_codes(typed, self.index, self.reader)):
            if place > (after if isinstance(after, int) else -1) and typed not in firm.uscc:
                why = words.similar_code_reason(firm.uscc, steps)
                yield Found(place, firm, Kind.SIMILAR_CODE, round(100 - 6.0 * steps, 1), why, firm.name)

    @cached_property
    def _answered(self) -> bool:
        """The name was found, or enough names hold what was typed: others that are like it would be noise."""
        exact = (self._walk(kind, lambda: self._whole) for kind in (Kind.NAME, Kind.CORE))
        if any(next(stage(None), None) for stage in exact):
            return True
        literal = chain(
            self._walk(Kind.PREFIX, lambda: self._starting)(None),
            *(self._walk(kind, lambda: self._containing)(None) for kind in (Kind.PART, Kind.FORMER_PART)),
        )
        return sum(1 for _ in islice(literal, _ENOUGH)) == _ENOUGH

    def _like_name(self, after: int | str | None) -> Iterator[Found]:
        if self._answered:
            return
        for place, near in enumerate(similar_names(self.query, self.index, self.reader)):
            if place > (after if isinstance(after, int) else -1) and self._judged(near.firm) is None:
                yield found_alike(near, place)


def found_by_name(query: Query, firm: Firm, finding: Finding) -> Found:
    """With its score and the reason in words."""
    least, more = _SCORES[finding.kind]
    asked = query.core if finding.kind is Kind.PREFIX else query.form.normal
    why = words.reason(finding.kind, asked=asked, name=finding.name, core=query.form.core)
    return Found(finding.entry, firm, finding.kind, round(least + more * finding.share, 1), why, finding.name)


def found_alike(near: Likeness, place: int) -> Found:
    why = words.similar_reason(near.name, near.steps)
    return Found(place, near.firm, Kind.SIMILAR, near.score, why, near.name)


def whole_names(query: Query, index: Postings) -> Ids:
    """Entries whose core is as long as that of the query and has its pairs: they may be this very name."""
    core = query.form.core
    length = np.int64(min(len(core), LONGEST_CORE))
    ids = index.having([tokens.start(core), *tokens.pairs(core)])
    return ids[np.searchsorted(ids, length << 56) : np.searchsorted(ids, (length + 1) << 56)]


def _is_literal(finding: Finding) -> bool:
    return finding.kind not in (Kind.SOUND, Kind.INITIALS, Kind.INITIALS_PART)


def _union(parts: Sequence[Ids]) -> Ids:
    if len(parts) == 1:
        return parts[0]
    return np.unique(np.concatenate(parts)) if parts else NONE
