"""What the views on firms, assessments and standards share: the rulebooks at hand, ETags, a firm's facts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from functools import cache, lru_cache
from importlib.metadata import version

from models.assessing import Asked, Assessor, Assessors, Firm
from models.figures import Reading
from models.registry import rulebooks
from models.registry.corrections import firm_unknown
from models.registry.facts import Figures, FirmFacts
from models.registry.one_firm import one_firm
from models.registry.plan_counts import current_run
from models.registry.state import State
from models.rules.rulebook import rulebook
from service.extension import now, reading, stamp, state, tidui
from service.fields import FieldsRefused
from service.schemas.shared import refuse
from service.security import caller


def assessor(rulebook_hash: str | None = None) -> Assessor:
    """Of the current rulebook or the one named. RulebookUnknown (R061)."""
    kept = tidui().once("assessors", lambda: Assessors(rulebook()))
    return kept.of(rulebook_hash, lambda wanted: rulebooks.load(reading(), wanted))


def remember_rulebook(used: Assessor) -> None:
    """Keep the rulebook an answer is given by, so that the answer can be given again: once per process."""

    def keep() -> bool:
        if not rulebooks.known(reading(), used.book.hash):
            with tidui().database.write() as connection:
                rulebooks.remember(connection, used.book, now())
        return True

    if used.book.hash == rulebook().hash:
        tidui().once("rulebook kept", keep)


def chosen(used: Assessor, ids: Sequence[str] | None, pointer: str) -> tuple[str, ...]:
    """The standards asked for, all by default. FieldsRefused (F112) names those there are not."""
    if ids is None:
        return tuple(used.book.packs)
    unknown = [given for given in ids if given not in used.book.packs]
    if unknown:
        raise _no_standard(unknown, pointer)
    return tuple(dict.fromkeys(ids))


def _no_standard(unknown: Sequence[str], pointer: str) -> FieldsRefused:
    named = "、".join(unknown[:5])
    return refuse(
        pointer,
        "F112",
        f"没有标准“{named}”，编号见 GET /v1/standards",
        f"no standard “{', '.join(unknown[:5])}”; GET /v1/standards lists them",
    )


def link_day() -> date:
    """The day that links ask about: that of the registry's current run, today where there is none."""
    run_id = state().run_id
    if run_id is None:
        return now().date()

    def read() -> date:
        found = current_run(reading(), state())
        assert found is not None
        return found.as_of

    return tidui().once(f"day of run {run_id}", read)


def firm_links(uscc: str) -> dict[str, str]:
    """Where to go on from a firm."""
    own, day = f"/v1/firms/{uscc}", link_day()
    return {
        "self": own,
        "assessment": f"{own}/assessment?as_of={day}",
        "advice": f"{own}/advice?as_of={day}",
        "peers": f"{own}/peers?as_of={day}",
        "reviews": f"/v1/reviews?uscc={uscc}&status=all",
    }


def seen_version(uscc: str) -> int:
    """How often the firm was corrected, without asking the database again. FirmUnknown (G404).

    A firm of another district than the key's is as unknown as one there is not.
    """
    found, limit = stamp(), caller().district
    if found.firm_version is None or limit not in (None, found.district):
        raise firm_unknown(uscc)
    return found.firm_version


def seen_facts(uscc: str) -> FirmFacts:
    """What the registry knows of the firm. FirmUnknown (G404)."""
    found = one_firm(tidui().pulse, state(), uscc, district=caller().district)
    if found is None:
        raise firm_unknown(uscc)
    return found


def firm_of(known: FirmFacts) -> Firm:
    said = known.facts.said if isinstance(known.facts, Figures) else None
    return Firm(known.uscc, known.name, known.facts, known.external, state().edition_hash, said)


def asked_firm(uscc: str | None, name: str | None, reading: Reading) -> Firm:
    """A firm of which only the question tells."""
    external = reading.external
    return Firm(uscc, name, {column: Asked(value) for column, value in external.items()}, external)


def firm_etag(what: str, uscc: str, firm_version: int, seen: State, *parts: object) -> str:
    """Of everything an answer about a firm of the registry depends on, known before it is worked out."""
    return etag(what, uscc, firm_version, seen.edition_hash, seen.run_id, seen.registry_version, *parts)


@lru_cache(256)
def ids_told(ids: tuple[str, ...] | None) -> str:
    """Standards asked for, as a part of an ETag: mostly all there are, whose names are read once."""
    return hashlib.sha256(repr(ids).encode()).hexdigest()


def etag(*parts: object) -> str:
    """A strong ETag, without quotes, of all that an answer depends on."""
    told = repr((_version(), *parts))
    return hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:32]


@cache
def _version() -> str:
    return version("tidui")
