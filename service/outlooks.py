"""The models that speak in this request, and what they say beside the rules."""

from __future__ import annotations

import logging
from datetime import date

from models.assessing import Beside
from models.errors import ModelRefused
from models.kept import Kept
from models.learn.outlook import Outlooks
from models.outlook_answer import outlook_bytes
from models.registry.learned import released
from service.answers import assessor
from service.extension import reading, state, tidui

log = logging.getLogger("tidui.models")


def outlooks() -> Outlooks:
    """The released models as of this request, made again when anything of the registry has changed.

    A model that cannot be read says nothing; the log says why, and the rules answer all the same.
    """
    version = state().registry_version
    kept = tidui().once("outlooks", lambda: Kept[int, Outlooks](2))
    return kept.get(version, _released)


def _released() -> Outlooks:
    try:
        return Outlooks(released(reading()), assessor(None).book)
    except ModelRefused as error:
        log.error("models are not used: %s", error)
        return Outlooks([], assessor(None).book)


def outlook_of(as_of: date) -> Beside:
    """What is said beside the rules: every task's estimate."""
    speaking = outlooks()
    return lambda held: b'"outlook":' + outlook_bytes(speaking, held, as_of)
