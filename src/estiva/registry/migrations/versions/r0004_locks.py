"""What the versions of environments resolved to, by platform."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "locks",
        sa.Column("workspace", sa.String, nullable=False),
        sa.Column("environment", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("lock", sa.JSON, nullable=False),
        sa.Column("created_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "environment", "version", "platform", name="pk_locks"),
        sa.ForeignKeyConstraint(
            ["workspace", "environment", "version"],
            ["environments.workspace", "environments.name", "environments.version"],
            name="fk_locks_environments",
            ondelete="CASCADE",
        ),
    )
