"""The database's tables. A record that is read whole is a JSON column; what is searched by has its own.

A change here needs a migration: the next number in migrations/versions, and in `database.REVISION`. So does
a new field without a default in a record that is kept as JSON.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class UtcTime(TypeDecorator[datetime]):
    """An aware time. SQLite keeps no zone, so what is stored is UTC everywhere."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value and value.astimezone(timezone.utc)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=value.tzinfo or timezone.utc)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def _record() -> JSON:
    """Absent is NULL, not the JSON word."""
    return JSON(none_as_null=True)


def _in_workspace(primary_key: bool = False) -> Column[Any]:
    return Column(
        "workspace",
        ForeignKey("workspaces.name", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


workspaces = Table(
    "workspaces",
    metadata,
    Column("name", String, primary_key=True),
    Column("subscription_id", String, nullable=False),
    Column("resource_group", String, nullable=False),
    Column("location", String, nullable=False),
    Column("tags", _record(), nullable=False),
    Column("created_time", UtcTime, nullable=False),
    Column("port", Integer),
    Column("certificate", _record()),
    Column("base_image", String),
    Column("registry", String),
)

# The newest version that a name ever had: deleted versions are never given out again.
model_names = Table(
    "model_names",
    metadata,
    _in_workspace(primary_key=True),
    Column("name", String, primary_key=True),
    Column("last_version", Integer, nullable=False),
)

models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True),  # the order of registration
    _in_workspace(),
    Column("name", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("tree", _record(), nullable=False),
    Column("description", Text),
    Column("tags", _record(), nullable=False),
    Column("properties", _record(), nullable=False),
    Column("framework", String),
    Column("framework_version", String),
    Column("experiment_name", String),
    Column("run_id", String),
    Column("created_by", String, nullable=False),
    Column("created_time", UtcTime, nullable=False),
    UniqueConstraint("workspace", "name", "version"),
)

environments = Table(
    "environments",
    metadata,
    _in_workspace(primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", Integer, primary_key=True),  # a number here, so that 10 comes after 9
    Column("specification", _record(), nullable=False),
    Column("created_time", UtcTime, nullable=False),
)

# What a version resolved to on one platform; written once, as versions are.
locks = Table(
    "locks",
    metadata,
    Column("workspace", String, primary_key=True),
    Column("environment", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("platform", String, primary_key=True),
    Column("lock", _record(), nullable=False),
    Column("created_time", UtcTime, nullable=False),
    ForeignKeyConstraint(
        ["workspace", "environment", "version"],
        ["environments.workspace", "environments.name", "environments.version"],
        ondelete="CASCADE",
    ),
)

services = Table(
    "services",
    metadata,
    Column("workspace", ForeignKey("workspaces.name"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", String, primary_key=True),  # "" for a service that is no version of an endpoint
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("publication", _record()),
    Column("scaling", _record(), nullable=False),
    Column("desired", Integer, nullable=False),
    Column("serving", Integer),
    Column("description", Text),
    Column("tags", _record(), nullable=False),
    Column("properties", _record(), nullable=False),
    Column("created_time", UtcTime, nullable=False),
    Column("updated_time", UtcTime, nullable=False),
    Column("targets", _record(), nullable=False, server_default='["process"]'),
)

generations = Table(
    "generations",
    metadata,
    Column("workspace", String, primary_key=True),
    Column("service", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", String, nullable=False),
    Column("spec", _record(), nullable=False),
    Column("reason", String, nullable=False),
    Column("steps", _record(), nullable=False),
    Column("notices", _record(), nullable=False),
    Column("evidence", _record()),
    Column("findings", _record(), nullable=False),
    Column("created_time", UtcTime, nullable=False),
    Column("image", String, nullable=False, server_default=""),
    ForeignKeyConstraint(
        ["workspace", "service", "version"],
        ["services.workspace", "services.name", "services.version"],
        ondelete="CASCADE",
    ),
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("workspace", ForeignKey("workspaces.name"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("publication", _record(), nullable=False),
    Column("versions", _record(), nullable=False),
    Column("defaults", _record(), nullable=False),
    Column("sticky_header", String),
    Column("deleting", Boolean, nullable=False),
    Column("description", Text),
    Column("tags", _record(), nullable=False),
    Column("properties", _record(), nullable=False),
    Column("created_time", UtcTime, nullable=False),
    Column("updated_time", UtcTime, nullable=False),
)

# Of services and endpoints alike, by the name that they are published under.
credentials = Table(
    "credentials",
    metadata,
    _in_workspace(primary_key=True),
    Column("name", String, primary_key=True),
    Column("primary_key", String, nullable=False),
    Column("secondary_key", String, nullable=False),
    Column("token_grant", String, nullable=False, server_default=""),
)
