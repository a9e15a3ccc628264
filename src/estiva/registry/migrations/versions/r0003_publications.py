"""Services have versions, are published for those who have a key, and scale without a new generation.

What was in their columns and in the settings of their generations moves into `publication` and `scaling`. The
primary keys change, which SQLite can only do by building the tables anew.
"""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_MOVED_SETTINGS = ("host", "port", "replicas")


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("port", sa.Integer))
    _create_credentials()
    _set_aside("services")
    _set_aside("generations")
    op.drop_table("generations")
    op.drop_table("services")
    _create_services()
    _create_generations()
    _move_services()
    _move_generations()
    op.drop_table("old_services")
    op.drop_table("old_generations")


def _set_aside(table: str) -> None:
    """Under another name and without constraints, whose names are unique in a database."""
    columns = _reflected(table).columns
    op.create_table(f"old_{table}", *(sa.Column(column.name, column.type) for column in columns))
    op.execute(f"INSERT INTO old_{table} SELECT * FROM {table}")  # noqa: S608  names of ours


def _move_services() -> None:
    connection, services = op.get_bind(), _reflected("services")
    for old in _rows("old_services"):
        publication = {"host": old.pop("host"), "port": old.pop("port")}
        scaling = {"replicas": _replicas(old)}
        connection.execute(
            services.insert().values(version="", publication=publication, scaling=scaling, **old)
        )
        keys = {which: secrets.token_urlsafe(32) for which in ("primary_key", "secondary_key")}
        credentials = _reflected("credentials")
        connection.execute(credentials.insert().values(workspace=old["workspace"], name=old["name"], **keys))


def _replicas(service: dict[str, Any]) -> int:
    """Those of the generation that serves, else of the one that was asked for."""
    generations = _reflected("old_generations")
    spec = op.get_bind().scalar(
        sa.select(generations.c.spec).where(
            generations.c.workspace == service["workspace"],
            generations.c.service == service["name"],
            generations.c.number == (service["serving"] or service["desired"]),
        )
    )
    return int(spec["settings"].get("replicas", 1)) if spec else 1


def _move_generations() -> None:
    """One at a time: a specification names every file of its models."""
    connection, generations = op.get_bind(), _reflected("generations")
    old = _reflected("old_generations")
    for place in connection.execute(sa.select(old.c.workspace, old.c.service, old.c.number)).all():
        where = [old.c.workspace == place[0], old.c.service == place[1], old.c.number == place[2]]
        found = connection.execute(old.select().where(*where)).mappings().one()
        row = {name: value for name, value in found.items() if value is not None}  # NULL, not JSON's null
        for name in _MOVED_SETTINGS:
            row["spec"].get("settings", {}).pop(name, None)
        connection.execute(generations.insert().values(version="", **row))


def _rows(table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in op.get_bind().execute(_reflected(table).select()).mappings()]


def _reflected(table: str) -> sa.Table:
    return sa.Table(table, sa.MetaData(), autoload_with=op.get_bind(), resolve_fks=False)


def _create_credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("workspace", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("primary_key", sa.String, nullable=False),
        sa.Column("secondary_key", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name", name="pk_credentials"),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.name"], name="fk_credentials_workspaces", ondelete="CASCADE"
        ),
    )


def _create_services() -> None:
    op.create_table(
        "services",
        sa.Column("workspace", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("publication", sa.JSON),
        sa.Column("scaling", sa.JSON, nullable=False),
        sa.Column("desired", sa.Integer, nullable=False),
        sa.Column("serving", sa.Integer),
        sa.Column("description", sa.Text),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("properties", sa.JSON, nullable=False),
        sa.Column("created_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("targets", sa.JSON, nullable=False, server_default='["process"]'),
        sa.PrimaryKeyConstraint("workspace", "name", "version", name="pk_services"),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.name"], name="fk_services_workspaces"),
    )


def _create_generations() -> None:
    op.create_table(
        "generations",
        sa.Column("workspace", sa.String, nullable=False),
        sa.Column("service", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("steps", sa.JSON, nullable=False),
        sa.Column("notices", sa.JSON, nullable=False),
        sa.Column("evidence", sa.JSON),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.Column("created_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "service", "version", "number", name="pk_generations"),
        sa.ForeignKeyConstraint(
            ["workspace", "service", "version"],
            ["services.workspace", "services.name", "services.version"],
            name="fk_generations_services",
            ondelete="CASCADE",
        ),
    )
