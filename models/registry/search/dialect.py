"""What the two databases say differently: lists as one parameter, and many rows at once."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

_CHUNK = 1 << 20


def is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def among(connection: Connection, column: str, parameter: str, kind: str = "bigint") -> str:
    """SQL for "``column`` is one of the list ``:parameter``": one parameter however long the list."""
    if is_sqlite(connection):
        return f"{column} IN (SELECT value FROM json_each(:{parameter}))"
    return f"{column} = ANY(CAST(:{parameter} AS {kind}[]))"


def listed(connection: Connection, values: Sequence[Any]) -> Any:
    """The list as :func:`among` wants it."""
    return orjson.dumps(values).decode() if is_sqlite(connection) else list(values)


def insert_postings(connection: Connection, segment: int, rows: Iterable[tuple[int, bytes]]) -> None:
    """Rows of ``name_gram``: COPY on PostgreSQL."""
    raw: Any = connection.connection.driver_connection
    cursor = raw.cursor()
    if is_sqlite(connection):
        cursor.executemany(
            "INSERT INTO name_gram (token, segment, entries) VALUES (?, ?, ?)",
            ((token, segment, entries) for token, entries in rows),
        )
        return
    with cursor.copy("COPY name_gram (token, segment, entries) FROM STDIN (FORMAT BINARY)") as copy:
        for chunk in _binary(segment, rows):
            copy.write(chunk)


def _binary(segment: int, rows: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
    """The binary COPY format: per row the number of fields, then each with its length."""
    pack = struct.Struct(">hiqiii").pack
    parts, size = [b"PGCOPY\n\xff\r\n\0" + bytes(8)], 0
    for token, entries in rows:
        parts += (pack(3, 8, token, 4, segment, len(entries)), entries)
        size += len(entries) + 26
        if size > _CHUNK:
            yield b"".join(parts)
            parts, size = [], 0
    yield b"".join([*parts, struct.pack(">h", -1)])


def insert_names(connection: Connection, rows: Iterable[tuple[int, int, str, str]]) -> None:
    """Rows of ``firm_name``: id, edition, code, name."""
    raw: Any = connection.connection.driver_connection
    cursor = raw.cursor()
    if is_sqlite(connection):
        cursor.executemany("INSERT INTO firm_name (id, edition_id, uscc, name) VALUES (?, ?, ?, ?)", rows)
        return
    with cursor.copy("COPY firm_name (id, edition_id, uscc, name) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "int4", "varchar", "text"])
        for row in rows:
            copy.write_row(row)
