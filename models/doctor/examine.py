"""All looks, one after the other."""

from __future__ import annotations

from functools import partial

from models.doctor import orphans, services
from models.doctor.findings import Finding, Look, look
from models.doctor.services import Clock
from models.registry.database import Database
from models.settings import Settings


def examine(settings: Settings, database: Database, clock: Clock) -> list[Finding]:
    """Everything that was found, in order. Nothing is raised for what does not answer: that is a finding."""
    found = [
        *look("versions", services.versions),
        *look("database", partial(services.database_answers, database)),
        *look("broker", partial(services.broker_answers, settings)),
        *look("store", partial(services.store_keeps, settings)),
    ]
    if settings.redis_url is not None and not _failed(found, "broker"):
        found += look("clock", partial(services.broker_clock, settings.redis_url, clock))
    if _failed(found, "database"):
        return found
    found += look("clock", partial(services.database_clock, database, clock))
    found += look("schema", partial(services.schema_is_current, database))
    if _failed(found, "schema"):
        return found
    rest: list[tuple[str, Look]] = [
        ("beat", partial(services.beat_beats, database, clock)),
        ("work", partial(orphans.lapsed_work, database)),
        ("files", partial(orphans.files_and_rows, settings, database)),
    ]
    return found + [one for subject, at in rest for one in look(subject, at)]


def sound(found: list[Finding]) -> bool:
    """Nothing that stops the service or loses work; warnings do not count."""
    return all(one.level != "error" for one in found)


def _failed(found: list[Finding], subject: str) -> bool:
    return any(one.subject == subject and one.level == "error" for one in found)
