"""Alembic's environment: the connection comes from :mod:`models.registry.migrate`."""

from __future__ import annotations

from alembic import context

from models.registry import job_tables as _jobs  # noqa: F401  their tables are in METADATA too
from models.registry import learning_tables as _learning  # noqa: F401
from models.registry import model_tables as _models  # noqa: F401
from models.registry.search import tables as _search  # noqa: F401
from models.registry.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
context.run_migrations()
