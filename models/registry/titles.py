"""Published lists of title holders: who is on them, until when, and whether a list is complete.

A row names its firm by code, or by a name that is exactly one firm's once width, tradition, brackets and
spaces are set aside. Nothing is guessed and nothing dropped: what is not taken is told row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from models.errors import Text, UsageRefused
from models.registry.audit import Actor, append
from models.registry.database import Database
from models.registry.list_file import ListRow, read_code, read_firm_name, read_list, read_until
from models.registry.lock import one_at_a_time
from models.registry.partitions import file_hash
from models.registry.search.normal import normal
from models.registry.search.tables import HAND, firm_name
from models.registry.state import State, active, changed, read_state
from models.registry.tables import firm, title_entry, title_list
from models.registry.title_columns import MEMBER, title_column
from models.registry.unfinished import clear_unfinished
from models.settings import Settings
from models.tabular.issue_table import issue_table_path, write_issue_table
from models.tabular.issues import Issue, IssueLog

_AT_ONCE = 50_000
_NAMED = 5
"""How many firms of one name a message names."""


@dataclass(frozen=True, slots=True)
class ListTerms:
    """What the list is said to be."""

    title: str
    dated: date
    complete: bool = False
    valid_until: date | None = None
    """For rows that give no last day."""
    years: int | None = None
    """Validity from the day of issue, where a row gives that instead."""


@dataclass(frozen=True)
class ListTaken:
    """What became of a list."""

    list_id: int
    rows: int
    taken: int
    known: int
    """Of those taken, firms that the registry holds."""
    issues: IssueLog
    issues_at: Path | None


def take_list(
    database: Database, settings: Settings, path: Path, terms: ListTerms, *, actor: Actor, now: datetime
) -> ListTaken:
    """Store a list; the same list again is matched anew. Standing is not judged anew here (``restand``).

    Raises FileRefused, UsageRefused (G011–G013), NoEdition (G003), Busy (G001), DatabaseAway.
    """
    column = title_column(terms.title)
    rows = list(read_list(path))
    with one_at_a_time(database, settings):
        clear_unfinished(database, settings, now)
        with database.read() as connection:
            state = read_state(connection)
            active(state)
            matching = _Matching(terms, column, _Names(connection, state, rows))
            matching.take(rows)
            known = _known(connection, state, sorted(matching.entries))
        for row, code in matching.rows_by_code(set(matching.entries) - known):
            matching.log.add([Issue("E504", row.row, "统一社会信用代码", code)])
        _refuse_without_dates(matching, path)
        with database.write() as connection:
            list_id = _store(connection, path, terms, matching, len(rows), len(known), actor, now)
    issues_at = _write_issues(settings, path, list_id, matching.log)
    return ListTaken(list_id, len(rows), len(matching.entries), len(known), matching.log, issues_at)


@dataclass(frozen=True, slots=True)
class Entry:
    """One firm on the list."""

    until: date | None
    name: str | None
    row: ListRow


@dataclass
class _Matching:
    """Rows to firms."""

    terms: ListTerms
    column: str
    names: _Names
    entries: dict[str, Entry] = field(default_factory=dict)
    maybe: dict[str, str | None] = field(default_factory=dict)
    """Firms that a row may mean, or means without a last day: for a complete list they are not absent."""
    log: IssueLog = field(default_factory=IssueLog)
    undated: int = 0

    def take(self, rows: Sequence[ListRow]) -> None:
        for row in rows:
            code = self._code(row)
            if code is None:
                continue
            until = None if self.column in MEMBER else self._until(row)
            if until is None and self.column not in MEMBER:
                self.undated += 1
                self.maybe[code] = row.name
                self._tell("E503", row, row.until)
                continue
            self._enter(code, Entry(until, row.name, row))

    def rows_by_code(self, codes: set[str]) -> Iterator[tuple[ListRow, str]]:
        return ((self.entries[code].row, code) for code in sorted(codes))

    def _enter(self, code: str, entry: Entry) -> None:
        """A firm that stands twice keeps the later day."""
        other = self.entries.get(code)
        if other is not None:
            self._tell("E506", entry.row, code, other=other.row.row)
            if (other.until or date.min) >= (entry.until or date.min):
                return
        self.entries[code] = entry

    def _code(self, row: ListRow) -> str | None:
        name = read_firm_name(row.name) if row.name else None
        if row.code:
            code = read_code(row.code)
            if code is not None:
                return code
            if name is None:
                self._tell("E507", row, row.code)
                return None
        if name is None:
            self._tell("E507", row, row.name)
            return None
        found = self.names.firms(name)
        if len(found) == 1:
            return found[0]
        if found:
            self.maybe.update(dict.fromkeys(found, row.name))
            self._tell("E502", row, name, firms="、".join(found[:_NAMED]))
        else:
            self._tell("E501", row, name)
        return None

    def _until(self, row: ListRow) -> date | None:
        if row.until:
            return read_until(row.until)
        issued = read_until(row.issued) if row.issued and self.terms.years else None
        if issued is not None and self.terms.years:
            return _years_later(issued, self.terms.years)
        return self.terms.valid_until

    def _tell(self, code: str, row: ListRow, value: str | None, **details: object) -> None:
        column = {"E503": "有效期", "E506": None}.get(code, "企业名称" if row.name else "统一社会信用代码")
        self.log.add([Issue(code, row.row, column, value, details)])


class _Names:
    """Firms by the normal form of any name they bear or bore, for the names of a list only."""

    def __init__(self, connection: Connection, state: State, rows: Sequence[ListRow]) -> None:
        wanted = {normal(row.name) for row in rows if row.name} - {""}
        self._current: dict[str, set[str]] = {}
        self._former: dict[str, set[str]] = {}
        if not wanted:
            return
        streamed = connection.execution_options(yield_per=_AT_ONCE)
        for code, name in streamed.execute(_current_names(state)):
            if name and (form := normal(name)) in wanted:
                self._current.setdefault(form, set()).add(code)
        for code, name in streamed.execute(_all_names(state)):
            if name and (form := normal(name)) in wanted:
                self._former.setdefault(form, set()).add(code)

    def firms(self, name: str) -> list[str]:
        """Codes of the firms so called now; of those once so called where no firm is now."""
        form = normal(name)
        return sorted(self._current.get(form) or self._former.get(form) or ())


def _current_names(state: State) -> Any:
    return select(firm.c.uscc, firm.c.name).where(firm.c.edition_id.in_(state.lineage))


def _all_names(state: State) -> Any:
    editions = (HAND, *state.lineage)
    return select(firm_name.c.uscc, firm_name.c.name).where(firm_name.c.edition_id.in_(editions))


def _known(connection: Connection, state: State, codes: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for first in range(0, len(codes), 10_000):
        some = codes[first : first + 10_000]
        query = select(firm.c.uscc).where(firm.c.uscc.in_(some), firm.c.edition_id.in_(state.lineage))
        found.update(connection.execute(query).scalars())
    return found


def _store(
    connection: Connection,
    path: Path,
    terms: ListTerms,
    matching: _Matching,
    rows: int,
    known: int,
    actor: Actor,
    now: datetime,
) -> int:
    source_hash = file_hash(path)
    _forget_same(connection, terms, source_hash)
    values: Mapping[str, Any] = {
        "title": terms.title,
        "source_name": path.name,
        "source_hash": source_hash,
        "dated": terms.dated,
        "complete": terms.complete,
        "rows": rows,
        "matched": known,
        "imported_at": now,
        "imported_by": actor.name,
    }
    made = connection.execute(insert(title_list).values(values)).inserted_primary_key
    assert made is not None
    list_id = int(made[0])
    entries = [(code, entry.until, True, entry.name) for code, entry in matching.entries.items()]
    maybe = [
        (code, None, False, name) for code, name in matching.maybe.items() if code not in matching.entries
    ]
    stored = [
        {"list_id": list_id, "uscc": code, "valid_until": until, "certain": certain, "name": name}
        for code, until, certain, name in [*entries, *maybe]
    ]
    if stored:
        connection.execute(insert(title_entry), stored)
    changed(connection)
    event = actor.event(
        "registry.titles", f"list:{list_id}", None, source_hash,
        title=terms.title, file=path.name, complete=terms.complete, rows=rows, taken=len(entries),
    )  # fmt: skip
    append(connection, [event], now)
    return list_id


def _forget_same(connection: Connection, terms: ListTerms, source_hash: str) -> None:
    """The same list taken before gives way to itself, matched against today's registry."""
    same = (
        (title_list.c.title == terms.title)
        & (title_list.c.source_hash == source_hash)
        & (title_list.c.dated == terms.dated)
    )
    ids = select(title_list.c.id).where(same)
    connection.execute(delete(title_entry).where(title_entry.c.list_id.in_(ids)))
    connection.execute(delete(title_list).where(same))


def _refuse_without_dates(matching: _Matching, path: Path) -> None:
    """A list none of whose rows says until when says nothing."""
    if matching.undated and not matching.entries:
        raise UsageRefused(
            "G013",
            Text("名单没写有效期", "the list does not say until when its titles are valid"),
            Text(
                "加 --valid-until 日期；或名单有发布日期时加 --years 3（自发布起三年）",
                "Add --valid-until DATE, or --years 3 where rows give the day of issue",
            ),
            str(path),
        )


def _years_later(day: date, years: int) -> date:
    """The last day of so many years that begin on ``day``'s date: 29 February ends on the 28th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _write_issues(settings: Settings, path: Path, list_id: int, log: IssueLog) -> Path | None:
    if not len(log):
        return None
    folder = settings.data / "lists"
    folder.mkdir(parents=True, exist_ok=True)
    found = issue_table_path(folder / f"{path.stem}_{list_id}.csv")
    write_issue_table(found, log, ())
    return found
