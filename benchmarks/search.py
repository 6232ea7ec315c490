"""How well and how quickly firms are found, on the 20,000 real names and on a million.

    python -m benchmarks.search quality [--url …] [--sample 2000]
    python -m benchmarks.search speed   [--url …] [--firms 1000000]
    python -m benchmarks.search match   [--url …] [--firms 1000000]

``--url`` is a database of its own that is filled when it is empty (SQLite under /tmp/search by default).
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select

from benchmarks import search_registry as registry
from benchmarks.search_registry import Firm
from models.matching import Query, match
from models.registry import tables
from models.registry.database import Database
from models.registry.search.find import Page, search_firms
from models.registry.search.normal import form
from models.registry.search.readings import readings
from models.registry.state import State, read_state

TOP = 5
_CHARACTERS = (
    "安百宝博诚创达大德鼎东方丰富高光广国海汉航恒宏华汇佳建金景凯康科力联隆"
    "明宁鹏启强瑞盛泰腾天威新信兴旭亚阳益盈永宇源远泽振正志中众卓"
)

Typed = Callable[[Firm, random.Random], str | None]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("what", choices=["quality", "speed", "match"])
    options.add_argument("--url")
    options.add_argument("--firms", type=int, default=1_000_000)
    options.add_argument("--sample", type=int, default=2000)
    given = options.parse_args()
    firms = 20_000 if given.what == "quality" else given.firms
    database = Database(given.url or f"sqlite:////tmp/search/firms_{firms}.sqlite")
    _prepare(database, firms)
    with database.read() as connection:
        state = read_state(connection)
        {"quality": quality, "speed": speed, "match": matching}[given.what](connection, state, given.sample)


def _prepare(database: Database, count: int) -> None:
    if not database.is_sqlite or not Path(str(database.engine.url.database)).exists():
        with database.read() as connection:
            if inspect(connection).has_table("firm"):
                return
    else:
        return
    firms = list(registry.many_firms(registry.real_firms(), count))
    registry.fill(database, firms)
    started = time.perf_counter()
    registry.index(database, firms)
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"index of {count:,} names: {time.perf_counter() - started:.1f} s, {gigabytes:.2f} GB with the firms"
    )
    registry.analyze(database)


# What people type


def core_name(firm: Firm, dice: random.Random) -> str | None:
    return form(firm.name).core


def first_four(firm: Firm, dice: random.Random) -> str | None:
    core = form(firm.name).core
    return core[:4] if len(core) > 4 else None


def wrong_in_name(firm: Firm, dice: random.Random) -> str | None:
    return _one_wrong(firm.name, dice)


def wrong_in_core(firm: Firm, dice: random.Random) -> str | None:
    core = form(firm.name).core
    return _one_wrong(core, dice) if len(core) > 2 else None


def first_letters(firm: Firm, dice: random.Random) -> str | None:
    letters = "".join(said[0] for said in next(readings(form(firm.name).core)))
    return letters if letters.isalpha() and letters.isascii() and len(letters) > 3 else None


def spoken(firm: Firm, dice: random.Random) -> str | None:
    said = "".join(next(readings(form(firm.name).core)))
    return said if said.isalpha() and said.isascii() and len(said) < 60 else None


def two_characters(firm: Firm, dice: random.Random) -> str | None:
    return _piece(firm, dice, 2)


def three_characters(firm: Firm, dice: random.Random) -> str | None:
    return _piece(firm, dice, 3)


def whole_name(firm: Firm, dice: random.Random) -> str | None:
    return firm.name


def whole_code(firm: Firm, dice: random.Random) -> str | None:
    return firm.uscc


def code_part(firm: Firm, dice: random.Random) -> str | None:
    at = dice.randrange(7, 13)
    return firm.uscc[at : at + dice.randrange(4, 6)]


def code_wrong(firm: Firm, dice: random.Random) -> str | None:
    return _swapped(firm.uscc, dice, "0123456789ABCDEFGHJKLMNPQRTUWXY")


def common(firm: Firm, dice: random.Random) -> str | None:
    return dice.choice(["上海", "有限公司", "科技", "贸易有限公司", "建设工程", "上海市", "技有", "公司"])


def two_words(firm: Firm, dice: random.Random) -> str | None:
    core = form(firm.name).core
    return f"{core[:2]} {core[-2:]}" if len(core) > 4 else None


def _piece(firm: Firm, dice: random.Random, size: int) -> str | None:
    core = form(firm.name).core
    at = dice.randrange(max(len(core) - size, 0) + 1)
    return core[at : at + size] if len(core) >= size else None


def _one_wrong(text: str, dice: random.Random) -> str:
    return _swapped(text, dice, _CHARACTERS)


def _swapped(text: str, dice: random.Random, alphabet: str) -> str:
    at = dice.randrange(len(text))
    return text[:at] + dice.choice([char for char in alphabet if char != text[at]]) + text[at + 1 :]


# Quality


def quality(connection: Connection, state: State, sample: int) -> None:
    firms = registry.real_firms()
    chosen = random.Random(11).sample(firms, min(sample, len(firms)))
    kinds: Mapping[Typed, str] = {
        core_name: "≥ 0.98",
        first_four: "≥ 0.95",
        wrong_in_name: "≥ 0.985",
        wrong_in_core: "(harder)",
        first_letters: "",
        spoken: "",
    }
    print(f"{'what was typed':18} {'found':>6} {'or shared':>10}   among the first {TOP}")
    for typed, target in kinds.items():
        found, shared, asked = measured(connection, state, chosen, typed)
        print(
            f"{typed.__name__:18} {found / asked:6.4f} {shared / asked:10.4f}   {target} of {asked}",
            flush=True,
        )


def measured(
    connection: Connection, state: State, firms: Sequence[Firm], typed: Typed
) -> tuple[int, int, int]:
    """How many are among the first five; these and those whose five answer as well; how many were asked."""
    dice = random.Random(5)
    found = shared = asked = 0
    for firm in firms:
        query = typed(firm, dice)
        if query is None:
            continue
        asked += 1
        page = search_firms(connection, state, query, limit=TOP)
        there = any(hit.uscc == firm.uscc for hit in page.hits)
        found += there
        shared += there or _as_good(page, query, firm)
    return found, shared, asked


def _as_good(page: Page, query: str, firm: Firm) -> bool:
    """Five others whose names begin with what was typed, or are this very name: nobody could tell."""
    name, asked = form(firm.name), form(query).normal
    return len(page.hits) == TOP and all(
        form(hit.matched_name).normal == name.normal
        or (name.core.startswith(asked) and form(hit.matched_name).core.startswith(asked))
        for hit in page.hits
    )


# Speed


def speed(connection: Connection, state: State, sample: int) -> None:
    firms = list(_some(connection, sample))
    kinds: Sequence[Typed] = [
        whole_name, core_name, first_four, two_characters, three_characters, two_words, wrong_in_name,
        wrong_in_core, first_letters, spoken, whole_code, code_part, code_wrong, common,
    ]  # fmt: skip
    every: list[float] = []
    worked: list[float] = []
    print(f"{'milliseconds':18} {'p50':>6} {'p95':>6} {'p99':>6} {'most':>7} {'cpu p95':>8}")
    for typed in kinds:
        times, cpu = _timed(connection, state, firms, typed, sample // len(kinds))
        every, worked = every + times, worked + cpu
        _say(typed.__name__, times, cpu)
    times, cpu = _timed(connection, state, firms, core_name, sample // len(kinds), district="310115")
    _say("core in a district", times, cpu)
    times, cpu = _timed(connection, state, firms, two_characters, sample // len(kinds), rung=5, industry="C")
    _say("two, rung, section", times, cpu)
    _say("mixed", every, worked)


def _timed(
    connection: Connection, state: State, firms: Sequence[Firm], typed: Typed, count: int, **filters: object
) -> tuple[list[float], list[float]]:
    dice = random.Random(3)
    times, cpu = [], []
    for firm in dice.sample(list(firms), count):
        if (query := typed(firm, dice)) is None:
            continue
        started, worked = time.perf_counter(), time.thread_time()
        search_firms(connection, state, query, **filters)  # type: ignore[arg-type]
        times.append((time.perf_counter() - started) * 1e3)
        cpu.append((time.thread_time() - worked) * 1e3)
    return times, cpu


def _say(what: str, times: Sequence[float], cpu: Sequence[float]) -> None:
    cuts = statistics.quantiles(times, n=100)
    worked = statistics.quantiles(cpu, n=100)[94]
    print(
        f"{what:18} {cuts[49]:6.1f} {cuts[94]:6.1f} {cuts[98]:6.1f} {max(times):7.1f} {worked:8.1f}",
        flush=True,
    )


def _some(connection: Connection, count: int) -> Iterator[Firm]:
    """Firms from all over the registry."""
    table = tables.firm.c
    step = max(connection.execute(select(func.count()).select_from(tables.firm)).scalar_one() // count, 1)
    rows = connection.execute(select(table.uscc, table.name, table.district, table.industry)).all()
    for row in rows[::step][:count]:
        yield Firm(row.uscc, row.name, row.district, row.industry)


def matching(connection: Connection, state: State, sample: int) -> None:
    """500 names as people keep them: whole, cores, with a wrong character, and some that are nowhere."""
    dice = random.Random(9)
    firms = list(_some(connection, 500))
    queries = []
    for at, firm in enumerate(firms):
        typed = (whole_name, core_name, wrong_in_name, wrong_in_core, first_four)[at % 5]
        queries.append(Query(typed(firm, dice) or firm.name))
    started, worked = time.perf_counter(), time.thread_time()
    answers = match(connection, state, queries)
    seconds, worked = time.perf_counter() - started, time.thread_time() - worked
    wrong = sum(
        1
        for answer, firm in zip(answers, firms, strict=True)
        if answer.status == "found" and answer.candidates[0].uscc != firm.uscc
    )
    counts = {
        status: sum(answer.status == status for answer in answers)
        for status in ("found", "ambiguous", "not_found")
    }
    print(
        f"500 queries {seconds:.2f} s (cpu {worked:.2f} s)   target ≤ 5 s   {dict(counts)}, "
        f"found but another firm: {wrong}"
    )


if __name__ == "__main__":
    main()
