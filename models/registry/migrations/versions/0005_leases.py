"""The counter of corrections, by which processes know that what they have read of firms still holds"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("state") as state:
        state.add_column(
            sa.Column("corrections_version", sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
