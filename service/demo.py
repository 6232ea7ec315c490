"""What ``tidui serve --demo`` adds: the demo registry where there is none, and a key while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models.registry import keys
from models.registry.audit import Actor
from models.registry.database import Database
from models.registry.importing import import_file
from models.registry.search.find import search_firms
from models.registry.secrets import pepper
from models.registry.state import read_state
from models.rules.rulebook import rulebook
from models.runs.begin import begin_run
from models.seeds import seed
from models.settings import Settings

DATED = date(2026, 6, 30)
"""The day the demo registry's figures are of; so that every start shows the same answers."""
SCOPES = ("lookup", "assess", "write", "programme", "upload", "run")
SCRAP = 10
"""Characters of a name to search by."""
ACTOR = Actor("tidui serve --demo", "administrator", "command line", "演示 demo")


@dataclass(frozen=True, slots=True)
class Demo:
    """A key that ends with the service, and a firm to ask about."""

    issued: keys.Issued
    uscc: str
    scrap: str

    def withdraw(self, database: Database, now: datetime) -> None:
        with database.write() as connection:
            keys.revoke(connection, self.issued.key.id, actor=ACTOR, now=now)

    def examples(self, address: str, day: date) -> str:
        """Three calls to copy, the key in them."""
        head = f"curl -s -H 'Authorization: Bearer {self.issued.token}'"
        return "\n".join(
            (
                "\n演示企业均为虚构。密钥（停止服务时失效）：",
                f"  {self.issued.token}",
                "\n按名称的一部分查企业：",
                f"  {head} -G {address}/v1/firms --data-urlencode 'q={self.scrap}'",
                "\n一家企业站在哪一级、为什么：",
                f"  {head} '{address}/v1/firms/{self.uscc}/assessment?as_of={day}'",
                "\n离上一级还差什么：",
                f"  {head} '{address}/v1/firms/{self.uscc}/advice?as_of={day}'\n",
            )
        )


def load_demo(settings: Settings, database: Database, now: datetime) -> Demo:
    """Import the demo registry where no registry is active, begin a run over it, and make a key that lasts a
    day at most.
    """
    with database.read() as connection:
        empty = read_state(connection).edition_id is None
    if empty:
        import_file(
            database, settings, seed("demo", "firms.csv"), dated=DATED, actor=ACTOR, now=now, book=rulebook()
        )
        # Movements, expiries, prospects and reviews are a run's: the worker finds it and does it.
        begin_run(database, settings, as_of=DATED, actor=ACTOR, now=now)
    with database.write() as connection:
        issued = keys.create(
            connection,
            pepper(settings),
            label="演示 demo",
            scopes=SCOPES,
            expires_at=now + timedelta(days=1),
            actor=ACTOR,
            now=now,
        )
    with database.read() as connection:
        hit = search_firms(connection, read_state(connection), "", limit=1).hits[0]
    return Demo(issued, hit.uscc, (hit.name or hit.uscc)[:SCRAP])
