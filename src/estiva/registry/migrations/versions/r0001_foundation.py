"""Workspaces, models, environments, services and their generations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "workspaces",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("subscription_id", sa.String, nullable=False),
        sa.Column("resource_group", sa.String, nullable=False),
        sa.Column("location", sa.String, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("created_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workspaces"),
    )
    op.create_table(
        "model_names",
        sa.Column("workspace", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("last_version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name", name="pk_model_names"),
        _of_workspace("model_names", ondelete="CASCADE"),
    )
    op.create_table(
        "models",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("workspace", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("tree", sa.JSON, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("properties", sa.JSON, nullable=False),
        sa.Column("framework", sa.String),
        sa.Column("framework_version", sa.String),
        sa.Column("experiment_name", sa.String),
        sa.Column("run_id", sa.String),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("created_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("workspace", "name", "version", name="uq_models"),
        _of_workspace("models", ondelete="CASCADE"),
    )
    op.create_table(
        "environments",
        sa.Column("workspace", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("specification", sa.JSON, nullable=False),
        sa.Column("created_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name", "version", name="pk_environments"),
        _of_workspace("environments", ondelete="CASCADE"),
    )
    op.create_table(
        "services",
        sa.Column("workspace", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("desired", sa.Integer, nullable=False),
        sa.Column("serving", sa.Integer),
        sa.Column("description", sa.Text),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("properties", sa.JSON, nullable=False),
        sa.Column("created_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name", name="pk_services"),
        _of_workspace("services"),
    )
    op.create_table(
        "generations",
        sa.Column("workspace", sa.String, nullable=False),
        sa.Column("service", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("steps", sa.JSON, nullable=False),
        sa.Column("notices", sa.JSON, nullable=False),
        sa.Column("evidence", sa.JSON),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.Column("created_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "service", "number", name="pk_generations"),
        sa.ForeignKeyConstraint(
            ["workspace", "service"],
            ["services.workspace", "services.name"],
            name="fk_generations_services",
            ondelete="CASCADE",
        ),
    )


def _of_workspace(table: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace"], ["workspaces.name"], name=f"fk_{table}_workspaces", ondelete=ondelete
    )
