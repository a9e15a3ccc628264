"""What is published has a grant, which names the tokens that are good for it."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("credentials", sa.Column("token_grant", sa.String, nullable=False, server_default=""))
    connection = op.get_bind()
    table = sa.Table("credentials", sa.MetaData(), autoload_with=connection, resolve_fks=False)
    for workspace, name in connection.execute(sa.select(table.c.workspace, table.c.name)).all():
        of = (table.c.workspace == workspace, table.c.name == name)
        connection.execute(table.update().where(*of).values(token_grant=secrets.token_hex(16)))
