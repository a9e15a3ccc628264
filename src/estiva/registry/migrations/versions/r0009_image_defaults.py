"""A workspace may say what its images are built upon, and where packages are pushed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for name in ("base_image", "registry"):
        op.add_column("workspaces", sa.Column(name, sa.String))
