"""Where a service's generations run: until now, all of them as processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("services", sa.Column("targets", sa.JSON, nullable=False, server_default='["process"]'))
