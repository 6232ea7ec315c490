"""What ``tidui registry show`` answers: a firm's figures, who said each, and what else was said.

Plain lines, a figure on each with its source below it: they read the same on any width and in a pipe.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from models.answer import fact_words
from models.codes import decode_industry, districts, industries
from models.fields import catalogue
from models.figures import Column, column_of
from models.registry.facts import Fact, FirmFacts

SOURCES = {"upload": "导入 import", "hand": "人工更正 by hand", "list": "名单 list"}


def facts_dict(firm: FirmFacts) -> dict[str, Any]:
    return {
        "uscc": firm.uscc,
        "name": firm.name,
        "former_names": list(firm.former_names),
        "district": firm.district,
        "industry": None if firm.industry is None else decode_industry(firm.industry),
        "version": firm.version,
        "facts": {column: _fact_dict(fact) for column, fact in sorted(firm.facts.items())},
    }


def print_facts(firm: FirmFacts) -> None:
    for line in firm_lines(firm):
        click.echo(line)


def firm_lines(firm: FirmFacts) -> Iterator[str]:
    """The firm, then two lines a figure, and one more for each thing that is said otherwise."""
    yield f"{firm.name or '（无名称 no name）'}　{firm.uscc}　第 {firm.version} 版 version"
    if firm.former_names:
        yield f"曾用名 former names：{'、'.join(firm.former_names)}"
    place = districts().label(firm.district) if firm.district else "区不详 district unknown"
    trade = industries().label(firm.industry) if firm.industry is not None else "行业不详 industry unknown"
    yield f"{place}　{trade}"
    for column in sorted(map(_column, firm.facts), key=_order):
        fact = firm.facts[column.name]
        yield f"{column.label.zh}：{fact_words(column, fact.value).zh}"
        yield f"    {_source(fact)}"
        for other in fact.also:
            yield f"    另有 also：{fact_words(column, other.value).zh}　{_source(other)}"


def _source(fact: Fact) -> str:
    said = f"{SOURCES[fact.source]} {fact.dated} {fact.origin}"
    return said if fact.reason is None else f"{said}，理由 reason：{fact.reason}"


def _column(name: str) -> Column:
    column = column_of(name)
    assert column is not None, name
    return column


def _order(column: Column) -> tuple[int, str]:
    """As the catalogue has it, then by year."""
    order = {field.key: at for at, field in enumerate(catalogue())}
    return order[column.field.key], column.name


def _fact_dict(fact: Fact) -> dict[str, Any]:
    found = {
        "value": fact.value,
        "source": fact.source,
        "dated": fact.dated.isoformat(),
        "origin": fact.origin,
        "edition": fact.edition_id,
        "list": fact.list_id,
        "reason": fact.reason,
        "also": [_fact_dict(other) for other in fact.also],
    }
    return {key: value for key, value in found.items() if value not in (None, [])}
