"""The polars type each field is held in (the table in :mod:`models.fields`)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from models.fields import Field

DTYPES: Mapping[str, type[pl.DataType]] = {
    "text": pl.String,
    "code": pl.String,
    "money": pl.Int64,
    "count": pl.Int64,
    "year": pl.Int64,
    "decimal": pl.Float64,
    "score": pl.Float64,
    "ratio": pl.Float64,
    "bool": pl.Boolean,
    "enum": pl.String,
    "date": pl.Date,
    "title": pl.Date,
}


def dtype_of(field: Field) -> type[pl.DataType]:
    """The polars type a field is held in; the industry code is a number (:mod:`models.codes`)."""
    return pl.Int32 if field.key == "industry" else DTYPES[field.type]
