"""Tables of the name index.

``name_gram`` holds, for every token (a pair of characters, of syllables, …) and segment, the entries that
have it: 32-bit little-endian numbers in rising order, ``core length << 24 | place in the segment``. With the
segment they make the 64-bit id of ``firm_name``, so that ids in rising order are entries from the shortest
core up: a page of a million hits is read from its beginning, not sorted.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from models.registry.tables import METADATA, SERIAL

HAND = 0
"""The edition of names given by hand; they are seen in every lineage."""

name_segment = Table(
    "name_segment",
    METADATA,
    Column("id", SERIAL, primary_key=True),
    Column("edition_id", Integer, nullable=False, index=True),
    Column("entries", Integer, nullable=False),
    comment="Entries that were indexed together.",
)

firm_name = Table(
    "firm_name",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("edition_id", Integer, nullable=False),
    Column("uscc", String(18), nullable=False, index=True),
    Column("name", Text, nullable=False),
    comment="Every name of every firm, as each edition or a hand gave it. Edition 0 is the hand.",
)

name_gram = Table(
    "name_gram",
    METADATA,
    Column("token", BigInteger, primary_key=True, autoincrement=False),
    Column("segment", Integer, primary_key=True, autoincrement=False),
    Column("entries", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
    comment="Token to entries, by segment; see models/registry/search/tables.py.",
)
