"""What a yes or a no of a field says, as a sentence: 未列入经营异常名录, not “列入经营异常名录：否”.

The sentences: ``seeds/fields/statements.yaml``, for every yes-or-no field.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import yaml

from models.errors import Text
from models.fields import Field, catalogue
from models.seeds import seed


def statement(field: Field, answer: bool) -> Text:
    """The sentence of a yes-or-no field's answer."""
    return _statements()[field.key][answer]


@cache
def _statements() -> Mapping[str, Mapping[bool, Text]]:
    written = yaml.load(seed("fields", "statements.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    strays = set(written) ^ {field.key for field in catalogue() if field.type == "bool"}
    if strays:
        raise ValueError(f"statements.yaml and fields.csv differ: {sorted(strays)}")
    return {key: {answer: Text(*said) for answer, said in both.items()} for key, both in written.items()}
