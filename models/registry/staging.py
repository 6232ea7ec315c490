"""Many rows at once: COPY on PostgreSQL, executemany on SQLite; each batch a transaction of its own.

A batch is small enough that other writers of an SQLite file wait a second or two at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy import Connection, Table, and_, delete, select

from models.registry.database import Database

BATCH = 10_000


def stage(database: Database, table: Table, frame: pl.DataFrame) -> None:
    """Insert a frame with the table's columns in committed batches."""
    for batch in frame.iter_slices(BATCH):
        with database.write() as connection:
            insert_frame(connection, table, batch)


def insert_frame(connection: Connection, table: Table, frame: pl.DataFrame) -> None:
    """Insert a frame of texts, numbers and truths within the caller's transaction."""
    named = ", ".join(f'"{name}"' for name in frame.columns)
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * frame.width)
        statement = f'INSERT INTO "{table.name}" ({named}) VALUES ({places})'
        connection.exec_driver_sql(statement, frame.rows())
        return
    driver: Any = connection.connection.driver_connection
    statement = f'COPY "{table.name}" ({named}) FROM STDIN WITH (FORMAT csv)'
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        # Every text quoted: an empty one is not a null.
        copy.write(frame.write_csv(include_header=False, quote_style="non_numeric"))


def count_rows(database: Database, tables: Sequence[Table]) -> None:
    """Let PostgreSQL look at what it holds now: its own round may come minutes after the first look-ups.

    SQLite plans well enough by the keys alone.
    """
    if not database.is_sqlite:
        with database.write() as connection:
            connection.exec_driver_sql("ANALYZE " + ", ".join(f'"{table.name}"' for table in tables))


def clear(database: Database, table: Table, owner: str, number: int) -> None:
    """Delete all rows whose column ``owner`` is ``number``, in committed batches along the codes."""
    code, mine = table.c.uscc, table.c[owner] == number
    last = ""
    while True:
        with database.write() as connection:
            chosen = select(code).where(mine, code > last).order_by(code).offset(BATCH - 1).limit(1)
            end = connection.execute(chosen).scalar_one_or_none()
            span = and_(mine, code > last, code <= end) if end is not None else and_(mine, code > last)
            connection.execute(delete(table).where(span))
        if end is None:
            return
        last = end
