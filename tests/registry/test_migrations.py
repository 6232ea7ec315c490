"""The tables as the code has them and as migrations make them."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from models.registry import job_tables as _jobs  # noqa: F401  (they join the same metadata)
from models.registry import learning_tables as _learning  # noqa: F401
from models.registry import model_tables as _models  # noqa: F401
from models.registry.database import Database
from models.registry.migrate import is_current, upgrade
from models.registry.search import tables as _names  # noqa: F401
from models.registry.tables import METADATA


def test_migrations_make_what_the_tables_say(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    upgrade(database)
    assert is_current(database)
